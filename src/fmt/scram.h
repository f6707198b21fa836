/* scram: the four messages of SCRAM (RFC 5802 §7, RFC 7677), for both sides.
 *
 * Pure text: proofs and keys are computed in account/scram_keys. Views point into the parsed message.
 * AuthMessage is client_first.bare "," server-first "," client_final.without_proof (RFC 5802 §3);
 * scram_put_auth_message writes it. */
#ifndef FMT_SCRAM_H
#define FMT_SCRAM_H

#include "base/buf.h"

enum {
    SCRAM_NONCE_MAX = 256,          /* bytes of a client's nonce */
    SCRAM_MESSAGE_MAX = 2048,       /* bytes of any message */
    SCRAM_ITERATIONS_MAX = 1000000, /* what a client-side parser accepts */
    SCRAM_KEY_MAX = 64              /* bytes of the longest proof or signature */
};

enum scram_binding {
    SCRAM_BINDING_NONE = 'n',   /* the client cannot */
    SCRAM_BINDING_UNUSED = 'y', /* the client can, and believes that the server cannot */
    SCRAM_BINDING_USED = 'p'    /* with the type that binding_type names */
};

struct scram_client_first {
    enum scram_binding binding;
    str binding_type; /* "tls-exporter"..., with SCRAM_BINDING_USED only */
    str gs2_header;   /* "n,," as sent */
    str authzid;      /* still escaped, may be empty; see scram_name_decode */
    str bare;         /* client-first-message-bare */
    str name;         /* still escaped */
    str nonce;
};
/* RC_INVALID: broken grammar. RC_LIMIT: too long. RC_PERM: a mandatory extension ("m=") that nobody here
 * knows. */
MUST_USE enum rc scram_client_first_parse(str message, struct scram_client_first *ret);
void scram_client_first_put(struct buf *out,
                            const struct scram_client_first *first); /* from name, nonce, binding */

struct scram_server_first {
    str nonce;
    str salt; /* base64 as sent */
    uint32_t iterations;
};
MUST_USE enum rc scram_server_first_parse(str message, struct scram_server_first *ret);
/* salt: raw bytes */
void scram_server_first_put(struct buf *out, str nonce, str salt, uint32_t iterations);

struct scram_client_final {
    str binding; /* c=, base64 as sent: the gs2 header and then the binding's bytes */
    str nonce;
    str without_proof; /* the message up to ",p=" */
    str proof;         /* base64 as sent */
};
MUST_USE enum rc scram_client_final_parse(str message, struct scram_client_final *ret);
/* Without ",p=", which scram_proof_put adds. header_and_data: raw bytes. */
void scram_client_final_put(struct buf *out, str header_and_data, str nonce);
void scram_proof_put(struct buf *out, str proof);

/* server-final-message: "v=" verifier, or "e=" error. */
struct scram_server_final {
    str verifier; /* base64 as sent */
    str error;    /* "invalid-proof"...; exactly one of the two is not empty */
};
MUST_USE enum rc scram_server_final_parse(str message, struct scram_server_final *ret);
void scram_server_final_put(struct buf *out, str signature);
void scram_server_error_put(struct buf *out, str error);

/* saslname: "=2C" stands for ",", "=3D" for "=". RC_INVALID for any other "=". */
MUST_USE enum rc scram_name_decode(str escaped, struct buf *out);
void scram_name_put(struct buf *out, str name);

void scram_put_auth_message(struct buf *out, str client_first_bare, str server_first,
                            str client_final_without_proof);

#endif
