/* The server's side of SCRAM (RFC 5802 §5, RFC 7677) with channel binding (RFC 5802 §6, RFC 9266, RFC 5929).
 */
#include "account/auth_exchange.h"

#include "base/enc.h"
#include "fmt/saslprep.h"
#include "fmt/scram.h"

enum { NONCE_BYTES = 18 }; /* ours; 24 characters of base64 */

static enum crypto_hash hash_of(enum sasl_mech mech)
{
    return mech == SASL_SCRAM_SHA_1 || mech == SASL_SCRAM_SHA_1_PLUS ? CRYPTO_SHA1 : CRYPTO_SHA256;
}

/* RFC 5802 §6: whether the client's flag goes with the mechanism; fills the header that c= must repeat.
 * false: the exchange must fail. "y" from a client while -PLUS is offered means that somebody removed it on
 * the way. */
static bool check_binding(struct auth_session *s, const struct scram_client_first *first)
{
    bool plus = sasl_mech_is_plus(s->mech), has_binding = s->exporter.n > 0 || s->end_point.n > 0;
    enum sasl_mech plus_form =
        hash_of(s->mech) == CRYPTO_SHA1 ? SASL_SCRAM_SHA_1_PLUS : SASL_SCRAM_SHA_256_PLUS;
    buf_puts(&s->header, first->gs2_header);
    if (first->binding != SCRAM_BINDING_USED)
        return !plus && (first->binding == SCRAM_BINDING_NONE ||
                         !auth_offers(s->lookup->conf, plus_form, s->secured, has_binding));
    const struct buf *data = str_eq(first->binding_type, S("tls-exporter"))           ? &s->exporter
                             : str_eq(first->binding_type, S("tls-server-end-point")) ? &s->end_point
                                                                                      : NULL;
    if (!plus || !data || data->n == 0)
        return false;
    buf_puts(&s->header, buf_str(data));
    return true;
}

static enum rc read_name(struct auth_session *s, const struct scram_client_first *first)
{
    AUTO(buf_deinit) struct buf raw = BUF_INIT(SASL_NAME_MAX);
    if (scram_name_decode(first->name, &raw) != RC_OK)
        return RC_INVALID;
    AUTO(buf_deinit) struct buf name = BUF_INIT(4 * SASL_NAME_MAX);
    if (saslprep(buf_str(&raw), false, &name) != RC_OK || name.n == 0)
        return RC_INVALID;
    auth_take_name(s, buf_str(&name));
    return RC_OK;
}

enum auth_result auth_scram_first(struct auth_session *s, str message, msec now, struct buf *ret_data)
{
    struct scram_client_first first;
    AUTO(buf_deinit) struct buf authzid = BUF_INIT(SASL_NAME_MAX);
    unsigned char random[NONCE_BYTES];
    if (scram_client_first_parse(message, &first) != RC_OK || read_name(s, &first) != RC_OK ||
        scram_name_decode(first.authzid, &authzid) != RC_OK)
        return auth_broken(s);
    if (!check_binding(s, &first))
        return auth_refuse(s, 535, "5.7.8", "the channel binding is not supported");
    enum rc rc = auth_scram_keys(s->auth, s->lookup, hash_of(s->mech), buf_str(&s->name),
                                 buf_str(&s->client_ip), now, &s->keys, s->account, &s->outcome);
    if (rc != RC_OK)
        return auth_end(s);
    s->wrong_authzid = !auth_authzid_fits(buf_str(&authzid), buf_str(&s->name), str_c(s->account));

    crypto_random(random, sizeof random);
    buf_puts(&s->nonce, first.nonce);
    enc_base64(&s->nonce, str_mem(random, sizeof random));
    scram_server_first_put(ret_data, buf_str(&s->nonce), str_mem(s->keys.salt, s->keys.salt_n),
                           s->keys.iterations);
    buf_puts(&s->transcript, first.bare);
    buf_putc(&s->transcript, ',');
    buf_puts(&s->transcript, buf_str(ret_data));
    s->state = SASL_WAIT_2;
    return AUTH_CONTINUE;
}

/* Why the client's last message is refused, or NULL. */
static const char *check_final(struct auth_session *s, const struct scram_client_final *final)
{
    AUTO(buf_deinit) struct buf header = BUF_INIT(SCRAM_MESSAGE_MAX);
    AUTO(buf_wipe) struct buf proof = BUF_INIT(SCRAM_MESSAGE_MAX);
    if (enc_base64_decode(&header, final->binding) != RC_OK ||
        enc_base64_decode(&proof, final->proof) != RC_OK)
        return "the last message is malformed";
    bool proven = scram_keys_check_proof(&s->keys, buf_str(&s->transcript), buf_str(&proof));
    if (!str_eq_const_time(buf_str(&header), buf_str(&s->header)))
        return "the channel binding does not match: somebody may be in between";
    if (!str_eq(final->nonce, buf_str(&s->nonce)))
        return "the nonce is another";
    if (s->account[0] == '\0')
        return "unknown user, or no SCRAM keys are stored for it";
    if (!proven)
        return "wrong password";
    return s->wrong_authzid ? "the authorization identity is another account" : NULL;
}

enum auth_result auth_scram_final(struct auth_session *s, str message, msec now, struct buf *ret_data)
{
    struct scram_client_final final;
    unsigned char signature[CRYPTO_DIGEST_MAX];
    if (scram_client_final_parse(message, &final) != RC_OK)
        return auth_broken(s);
    buf_putc(&s->transcript, ',');
    buf_puts(&s->transcript, final.without_proof);
    const char *why = check_final(s, &final);
    auth_conclude(s->auth, s->lookup, buf_str(&s->name), why ? STR_NONE : str_c(s->account),
                  buf_str(&s->client_ip), now, why, &s->outcome);
    if (!why) {
        scram_keys_sign(&s->keys, buf_str(&s->transcript), signature);
        scram_server_final_put(ret_data, str_mem(signature, crypto_hash_size(s->keys.hash)));
    }
    return auth_end(s);
}
