/* SCRAM messages (RFC 5802 §7): attributes in a fixed order, separated by commas.
 *
 * Optional extensions at the end are allowed and ignored as the RFC says; a mandatory one ("m=") is refused.
 */
#include "fmt/scram.h"

#include "base/enc.h"
#include "base/num.h"
#include "base/utf8.h"

/* Takes "k=value" off the front of *rest, up to the next comma. */
static enum rc take_attr(str *rest, char key, str *ret_value)
{
    str left = *rest, attr = str_take(&left, ',');
    if (attr.n < 2 || attr.p[0] != key || attr.p[1] != '=')
        return RC_INVALID;
    *ret_value = str_from(attr, 2);
    *rest = left;
    return RC_OK;
}

/* printable = %x21-2B / %x2D-7E, at least one */
static bool is_printable(str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < 0x21 || s.p[i] > 0x7e || s.p[i] == ',')
            return false;
    }
    return s.n > 0;
}

/* value = 1*value-char: UTF-8 without NUL, "=" and ","; here with "=", because escapes are decoded later. */
static bool is_name(str s)
{
    return s.n > 0 && utf8_valid(s) && str_chr(s, '\0') < 0 && str_chr(s, ',') < 0;
}

/* extensions = attr-val *("," attr-val); attr-val = ALPHA "=" value. *rest: what stands behind the comma. */
static enum rc check_extensions(str rest)
{
    while (rest.p) {
        str attr = str_take(&rest, ',');
        if (attr.n < 3 || !ascii_alpha(attr.p[0]) || attr.p[1] != '=' || !is_name(str_from(attr, 2)))
            return RC_INVALID;
    }
    return RC_OK;
}

/* base64 of at least one byte, as an attribute's value */
static bool is_base64(str s)
{
    if (s.n == 0 || s.n % 4 != 0)
        return false;
    size_t pad = str_ends(s, S("==")) ? 2 : str_ends(s, S("=")) ? 1 : 0;
    for (size_t i = 0; i < s.n - pad; i++) {
        if (!ascii_alnum(s.p[i]) && s.p[i] != '+' && s.p[i] != '/')
            return false;
    }
    return true;
}

/* gs2-header = [gs2-nonstd-flag ","] gs2-cbind-flag "," [ authzid ] ","
 * gs2-cbind-flag = ("p=" cb-name) / "n" / "y"; cb-name = 1*(ALPHA / DIGIT / "." / "-")
 * gs2-nonstd-flag ("F") is for GSS-API mechanisms only and not accepted here (RFC 5802 §7). */
static enum rc parse_gs2_header(str message, struct scram_client_first *first)
{
    str rest = message, flag = str_take(&rest, ',');
    if (str_eq(flag, S("n"))) {
        first->binding = SCRAM_BINDING_NONE;
    } else if (str_eq(flag, S("y"))) {
        first->binding = SCRAM_BINDING_UNUSED;
    } else if (str_starts(flag, S("p=")) && flag.n > 2) {
        first->binding = SCRAM_BINDING_USED;
        first->binding_type = str_from(flag, 2);
    } else {
        return RC_INVALID;
    }
    for (size_t i = 0; i < first->binding_type.n; i++) {
        char c = first->binding_type.p[i];
        if (!ascii_alnum(c) && c != '.' && c != '-')
            return RC_INVALID;
    }
    if (!rest.p)
        return RC_INVALID;
    str authzid = str_take(&rest, ',');
    if (!rest.p)
        return RC_INVALID;
    if (authzid.n > 0) {
        if (!str_starts(authzid, S("a=")) || !is_name(str_from(authzid, 2)))
            return RC_INVALID;
        first->authzid = str_from(authzid, 2);
    }
    first->bare = rest;
    first->gs2_header = str_sub(message, 0, (size_t)(rest.p - message.p));
    return RC_OK;
}

/* client-first-message-bare = [reserved-mext ","] username "," nonce ["," extensions] */
enum rc scram_client_first_parse(str message, struct scram_client_first *ret)
{
    if (message.n > SCRAM_MESSAGE_MAX)
        return RC_LIMIT;
    struct scram_client_first first = {0};
    enum rc rc = parse_gs2_header(message, &first);
    if (rc != RC_OK)
        return rc;
    str rest = first.bare;
    if (str_starts(rest, S("m=")))
        return RC_PERM;
    if (take_attr(&rest, 'n', &first.name) != RC_OK || !is_name(first.name))
        return RC_INVALID;
    if (take_attr(&rest, 'r', &first.nonce) != RC_OK || !is_printable(first.nonce))
        return RC_INVALID;
    if (first.nonce.n > SCRAM_NONCE_MAX)
        return RC_LIMIT;
    rc = check_extensions(rest);
    if (rc == RC_OK)
        *ret = first;
    return rc;
}

void scram_client_first_put(struct buf *out, const struct scram_client_first *first)
{
    buf_putc(out, (char)first->binding);
    if (first->binding == SCRAM_BINDING_USED) {
        buf_putc(out, '=');
        buf_puts(out, first->binding_type);
    }
    buf_putc(out, ',');
    if (first->authzid.n > 0) {
        buf_puts(out, S("a="));
        scram_name_put(out, first->authzid);
    }
    buf_puts(out, S(",n="));
    scram_name_put(out, first->name);
    buf_puts(out, S(",r="));
    buf_puts(out, first->nonce);
}

/* server-first-message = [reserved-mext ","] nonce "," salt "," iteration-count ["," extensions] */
enum rc scram_server_first_parse(str message, struct scram_server_first *ret)
{
    if (message.n > SCRAM_MESSAGE_MAX)
        return RC_LIMIT;
    struct scram_server_first first = {0};
    str rest = message, iterations;
    if (str_starts(rest, S("m=")))
        return RC_PERM;
    if (take_attr(&rest, 'r', &first.nonce) != RC_OK || !is_printable(first.nonce))
        return RC_INVALID;
    if (take_attr(&rest, 's', &first.salt) != RC_OK || !is_base64(first.salt))
        return RC_INVALID;
    /* posit-number = %x31-39 *DIGIT */
    if (take_attr(&rest, 'i', &iterations) != RC_OK || str_starts(iterations, S("0")))
        return RC_INVALID;
    enum rc rc = num_parse_u32(iterations, SCRAM_ITERATIONS_MAX, &first.iterations);
    if (rc == RC_OK)
        rc = check_extensions(rest);
    if (rc == RC_OK)
        *ret = first;
    return rc;
}

void scram_server_first_put(struct buf *out, str nonce, str salt, uint32_t iterations)
{
    buf_puts(out, S("r="));
    buf_puts(out, nonce);
    buf_puts(out, S(",s="));
    enc_base64(out, salt);
    buf_puts(out, S(",i="));
    buf_put_u64(out, iterations);
}

/* client-final-message = channel-binding "," nonce ["," extensions] "," proof */
enum rc scram_client_final_parse(str message, struct scram_client_final *ret)
{
    if (message.n > SCRAM_MESSAGE_MAX)
        return RC_LIMIT;
    struct scram_client_final final = {0};
    ptrdiff_t last = str_rchr(message, ',');
    if (last < 0)
        return RC_INVALID;
    final.without_proof = str_sub(message, 0, (size_t)last);
    str proof = str_from(message, (size_t)last + 1), rest = final.without_proof;
    if (take_attr(&proof, 'p', &final.proof) != RC_OK || !is_base64(final.proof))
        return RC_INVALID;
    if (take_attr(&rest, 'c', &final.binding) != RC_OK || !is_base64(final.binding))
        return RC_INVALID;
    if (take_attr(&rest, 'r', &final.nonce) != RC_OK || !is_printable(final.nonce))
        return RC_INVALID;
    enum rc rc = str_starts(rest, S("m=")) ? RC_PERM : check_extensions(rest);
    if (rc == RC_OK)
        *ret = final;
    return rc;
}

void scram_client_final_put(struct buf *out, str header_and_data, str nonce)
{
    buf_puts(out, S("c="));
    enc_base64(out, header_and_data);
    buf_puts(out, S(",r="));
    buf_puts(out, nonce);
}

void scram_proof_put(struct buf *out, str proof)
{
    buf_puts(out, S(",p="));
    enc_base64(out, proof);
}

/* server-final-message = (server-error / verifier) ["," extensions] */
enum rc scram_server_final_parse(str message, struct scram_server_final *ret)
{
    if (message.n > SCRAM_MESSAGE_MAX)
        return RC_LIMIT;
    struct scram_server_final final = {0};
    str rest = message;
    if (take_attr(&rest, 'v', &final.verifier) == RC_OK) {
        if (!is_base64(final.verifier))
            return RC_INVALID;
    } else if (take_attr(&rest, 'e', &final.error) != RC_OK || !is_printable(final.error)) {
        return RC_INVALID;
    }
    enum rc rc = check_extensions(rest);
    if (rc == RC_OK)
        *ret = final;
    return rc;
}

void scram_server_final_put(struct buf *out, str signature)
{
    buf_puts(out, S("v="));
    enc_base64(out, signature);
}

void scram_server_error_put(struct buf *out, str error)
{
    buf_puts(out, S("e="));
    buf_puts(out, error);
}

/* saslname = 1*(value-safe-char / "=2C" / "=3D") */
enum rc scram_name_decode(str escaped, struct buf *out)
{
    for (size_t i = 0; i < escaped.n; i++) {
        str here = str_from(escaped, i);
        if (escaped.p[i] != '=') {
            buf_putc(out, escaped.p[i]);
            continue;
        }
        if (str_starts(here, S("=2C")))
            buf_putc(out, ',');
        else if (str_starts(here, S("=3D")))
            buf_putc(out, '=');
        else
            return RC_INVALID;
        i += 2;
    }
    return out->overflow ? RC_LIMIT : RC_OK;
}

void scram_name_put(struct buf *out, str name)
{
    for (size_t i = 0; i < name.n; i++) {
        if (name.p[i] == ',')
            buf_puts(out, S("=2C"));
        else if (name.p[i] == '=')
            buf_puts(out, S("=3D"));
        else
            buf_putc(out, name.p[i]);
    }
}

void scram_put_auth_message(struct buf *out, str client_first_bare, str server_first,
                            str client_final_without_proof)
{
    buf_puts(out, client_first_bare);
    buf_putc(out, ',');
    buf_puts(out, server_first);
    buf_putc(out, ',');
    buf_puts(out, client_final_without_proof);
}
