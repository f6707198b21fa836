/* fmt/oauth2: any bytes as messages, and as claims. */
#include "fmt/oauth2.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct oauth2_rules rules = {
        .username = S("email"), .scope = S("mail"), .audiences = S("imap")};
    AUTO(arena_freep) struct arena *a = arena_new(1 << 20);
    str in = str_mem(data, size), user;
    struct oauth2_message m;
    const struct json_value *claims;
    const char *why;
    if (oauth2_parse_oauthbearer(in, &m) == RC_OK || oauth2_parse_xoauth2(in, &m) == RC_OK)
        must(m.token.n == 0 || oauth2_is_token(m.token));
    if (json_read(in, a, &claims) == RC_OK &&
        oauth2_judge(&rules, claims, 1000000, &user, &why) == OAUTH2_VALID)
        must(user.n > 0);
    return 0;
}
