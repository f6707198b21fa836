/* Asks the resolver as smtpd would, inside of its sandbox: one question a line on standard input, one answer
 * a line on standard output.
 *
 *     resolver_try SERVERS ANCHOR HOSTS EMPTY_DIR
 *
 * SERVERS: a list with commas, or the path of a resolv.conf. ANCHOR: a file, or "". Questions are "A NAME",
 * "MX NAME"... and "ptr ADDRESS", each followed by the milliseconds to wait; answers end in the milliseconds
 * that it took. */
#include "base/enc.h"
#include "base/log.h"
#include "base/num.h"
#include "fmt/dns_name.h"
#include "net/resolver.h"
#include "os/sandbox.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <unistd.h>

enum { SERVERS_MAX = 16, TRY_UID = 64003 };

static const struct {
    const char *name;
    enum dns_type type;
} types[] = {{"A", DNS_A},   {"AAAA", DNS_AAAA}, {"PTR", DNS_PTR},
             {"MX", DNS_MX}, {"TXT", DNS_TXT},   {"TLSA", DNS_TLSA}};

static void print_answer(const struct dns_answer *a)
{
    static const char *const security[] = {"insecure", "secure", "bogus"};
    printf("%s %s", security[a->security], a->n ? "found" : a->nxdomain ? "nxdomain" : "nodata");
    for (size_t i = 0; i < a->n; i++) {
        struct buf hex = BUF_INIT(1 << 17);
        enc_hex(&hex, a->rdata[i]);
        printf(" %s", buf_cstr(&hex));
        buf_deinit(&hex);
    }
    printf("%s%s", *a->why ? " why: " : "", a->why);
}

static void query(struct resolver *r, str word, str name, msec deadline)
{
    AUTO(dns_answer_freep) const struct dns_answer *a = NULL;
    enum dns_type type = 0;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (str_eq(word, str_c(types[i].name)))
            type = types[i].type;
    must(type);
    enum rc rc = resolver_query(r, name, type, deadline, &a);
    if (rc == RC_OK)
        print_answer(a);
    else
        printf("%s", rc_name(rc));
}

static void ptr(struct resolver *r, str address, msec deadline)
{
    struct sockaddr_storage s = {0};
    struct buf name = BUF_INIT(DNS_NAME_MAX);
    AUTO(str_freep) char *z = str_dup(address);
    s.ss_family = strchr(z, ':') ? AF_INET6 : AF_INET;
    void *to = s.ss_family == AF_INET ? (void *)&((struct sockaddr_in *)&s)->sin_addr
                                      : (void *)&((struct sockaddr_in6 *)&s)->sin6_addr;
    must(inet_pton(s.ss_family, z, to) == 1);
    enum rc rc = resolver_ptr_name(r, &s, deadline, &name, NULL);
    printf("%s%s%s", rc_name(rc), name.n ? " " : "", buf_cstr(&name));
    buf_deinit(&name);
}

static void answer(struct resolver *r, str line)
{
    uint64_t timeout;
    str word = str_word(&line), name = str_word(&line), wait = str_word(&line);
    msec begin = clock_mono();
    must(num_parse_u64(wait, 60000, &timeout) == RC_OK);
    if (str_eq(word, S("ptr")))
        ptr(r, name, begin + (msec)timeout);
    else
        query(r, word, name, begin + (msec)timeout);
    printf(" %lld\n", (long long)(clock_mono() - begin));
    fflush(stdout);
}

static void confine(const char *empty)
{
    bool root = geteuid() == 0;
    struct sandbox sb = {.role = ROLE_SMTPD,
                         .uid = root ? TRY_UID : (uid_t)-1,
                         .gid = root ? TRY_UID : (gid_t)-1,
                         .chroot_dir = empty};
    sandbox_enter(&sb);
}

int main(int argc, char **argv)
{
    str servers[SERVERS_MAX];
    char line[2048];
    struct resolver_conf conf = {.servers = servers};
    struct resolver *r = NULL;
    struct err e = {0};
    log_init("resolver_try", "test", STDERR_FILENO, LOG_TEXT, LOG_LEVEL_INFO);
    must(argc == 5);
    conf.trust_anchor = argv[2];
    conf.hosts = argv[3];
    conf.resolv_conf = argv[1];
    for (char *at = argv[1]; *at != '/' && conf.n_servers < SERVERS_MAX;) {
        char *comma = strchr(at, ',');
        if (comma)
            *comma = '\0';
        servers[conf.n_servers++] = str_c(at);
        if (!comma)
            break;
        at = comma + 1;
    }
    if (resolver_new(&conf, &r, &e) != RC_OK) {
        printf("%s: %s\n", rc_name(e.rc), err_text(&e));
        return 1;
    }
    confine(argv[4]);
    if (resolver_start(r, &e) != RC_OK) {
        printf("%s: %s\n", rc_name(e.rc), err_text(&e));
        return 1;
    }
    printf("ready\n");
    fflush(stdout);
    while (fgets(line, sizeof line, stdin))
        answer(r, str_trim(str_c(line)));
    return 0;
}
