/* The reply to CAPA (capability.h). */
#include "pop3/capability.h"

static void write_sasl(struct stream *io, const struct login_settings *set)
{
    bool any = false;
    for (size_t i = 0; i < set->n_mechanisms; i++) {
        if (!login_mechanism_fits(set, io, set->mechanisms[i]))
            continue;
        stream_printf(io, "%s " STR_FMT, any ? "" : "SASL", STR_ARG(set->mechanisms[i]));
        any = true;
    }
    if (any)
        stream_write(io, S("\r\n"));
}

void pop3_capability_write(struct stream *io, const struct login_settings *set)
{
    stream_write(io, S("+OK\r\n"
                       "TOP\r\n"          /* RFC 2449 §6.2 */
                       "UIDL\r\n"         /* §6.9 */
                       "RESP-CODES\r\n"   /* §6.4 */
                       "PIPELINING\r\n"   /* §6.8 */
                       "EXPIRE NEVER\r\n" /* §6.7 */
                       "AUTH-RESP-CODE\r\n" /* RFC 3206 §5 */));
    if (set && set->starttls && !stream_is_tls(io))
        stream_write(io, S("STLS\r\n")); /* RFC 2595 §4 */
    if (set && (stream_is_tls(io) || !set->plaintext_forbidden))
        stream_write(io, S("USER\r\n")); /* RFC 2449 §6.3 */
    if (set)
        write_sasl(io, set);
    stream_write(io, S("IMPLEMENTATION malle\r\n.\r\n"));
}
