/* Failures counted by account and by network. */
#include "account/auth_limit.h"

#include "base/map.h"
#include "conf/conf.h"
#include "fmt/ip.h"

/* Answers are held back longer with each failure, up to this many times auth_failure_delay. */
enum { DELAY_STEPS = 5 };

void auth_limit_init(struct auth_limit *a)
{
    a->failures = throttle_new();
    a->repeats = throttle_new();
    a->known = throttle_new();
}

void auth_limit_deinit(struct auth_limit *a)
{
    a->failures = throttle_free(a->failures);
    a->repeats = throttle_free(a->repeats);
    a->known = throttle_free(a->known);
}

/* Hash of a kind and up to two byte strings. */
static uint64_t key_of(char kind, str a, str b)
{
    char text[1100];
    size_t n = 0;
    text[n++] = kind;
    for (size_t i = 0; i < a.n && n < 500; i++)
        text[n++] = a.p[i];
    text[n++] = '\0';
    for (size_t i = 0; i < b.n && n < sizeof text; i++)
        text[n++] = b.p[i];
    return map_hash(str_mem(text, n));
}

/* An IPv4 address, or the /64 of an IPv6 address. */
static str network_of(str client_ip, struct ip_net *room)
{
    if (ip_parse(client_ip, room) != RC_OK)
        return client_ip;
    return str_mem(room->addr, ip_is_v6(client_ip) ? 8 : 16);
}

static bool is_loopback(str client_ip)
{
    struct ip_net ip;
    return ip_parse(client_ip, &ip) == RC_OK && ip_is_loopback(&ip);
}

enum rc auth_limit_check(const struct auth_limit *a, const struct conf *c, str account, str client_ip,
                         msec now, const char **ret_why)
{
    struct ip_net room;
    str net = network_of(client_ip, &room);
    /* one failure adds window / limit, so at the limit the level is nearly the whole window */
    msec window = c->auth_failure_window_ms;
    msec net_step = window / c->auth_network_failures, account_step = window / c->auth_account_failures;
    if (!is_loopback(client_ip) && throttle_level(a->failures, key_of('n', net, STR_NONE), now) >
                                       (c->auth_network_failures - 1) * net_step) {
        *ret_why = "network";
        return RC_LIMIT;
    }
    if (account.n > 0 && throttle_level(a->known, key_of('k', account, net), now) == 0 &&
        throttle_level(a->failures, key_of('a', account, STR_NONE), now) >
            (c->auth_account_failures - 1) * account_step) {
        *ret_why = "account";
        return RC_LIMIT;
    }
    return RC_OK;
}

msec auth_limit_failed(struct auth_limit *a, const struct conf *c, str account, str client_ip, str credential,
                       msec now)
{
    struct ip_net room;
    str net = network_of(client_ip, &room);
    msec window = c->auth_failure_window_ms;
    uint64_t net_key = key_of('n', net, STR_NONE), repeat_key = key_of('r', account, credential);
    msec net_step = window / c->auth_network_failures;
    if (credential.n == 0 || throttle_level(a->repeats, repeat_key, now) == 0) {
        throttle_add(a->failures, key_of('a', account, STR_NONE), now, window / c->auth_account_failures,
                     window);
        throttle_add(a->failures, net_key, now, net_step, window);
        throttle_add(a->repeats, repeat_key, now, window, window);
    }
    msec times = net_step > 0 ? throttle_level(a->failures, net_key, now) / net_step : 1;
    return c->auth_failure_delay_ms * (times < 1 ? 1 : times > DELAY_STEPS ? DELAY_STEPS : times);
}

void auth_limit_succeeded(struct auth_limit *a, str account, str client_ip, msec now)
{
    struct ip_net room;
    str net = network_of(client_ip, &room);
    throttle_add(a->known, key_of('k', account, net), now, AUTH_KNOWN_MS, AUTH_KNOWN_MS);
}
