/* libunbound behind the interface of resolver.h: its context, the thread that takes its answers, and asking.
 *
 * The library runs in thread mode: its own thread does the network, ub_process hands answers to our
 * dispatcher, and the dispatcher settles questions in the cache. A question whose askers gave up goes on, for
 * its answer may be asked for again; their number is bounded by the cache. The library is finalized by its
 * first question, so resolver_start asks one. */
#include "net/resolver_impl.h"

#include "base/log.h"
#include "fmt/dns_name.h"
#include "os/file.h"
#include "os/thread.h"

#include <poll.h>
#include <stdatomic.h>
#include <unbound.h>

enum {
    CACHE_QUESTIONS = 8192,
    CACHE_PENDING = 1024,
    CACHE_BYTES = 16 << 20,
    TTL_MIN_S = 1,
    TTL_MAX_S = 3600,
    NEGATIVE_TTL_MAX_S =
        300,           /* RFC 2308 §5 permits more; a name that was just made should not stay unknown long */
    FAILURE_TTL_S = 2, /* RFC 2308 §7.1 */
    START_TIMEOUT_MS = 5000,
    FILE_BYTES_MAX = 1 << 20,
    RECORDS_MAX = 4096
};

/* The keys of the root zone, https://data.iana.org/root-anchors/root-anchors.xml: KSK-2017 and KSK-2024. */
static const char *const root_anchors[] = {
    ". IN DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D",
    ". IN DS 38696 8 2 683D2D0ACB8C9B712A1948B27F741219298D0A450D612C483AF444A4C0FB2B16",
};

static const struct {
    const char *name, *value;
} library_options[] = {
    {"outgoing-range:", "128"}, /* the library's default of 16 is for programs that ask now and then */
    {"num-queries-per-thread:", "1024"},
    {"outgoing-num-tcp:", "16"},
    {"unblock-lan-zones:", "yes"}, /* private addresses have names where the resolver knows them */
    {"insecure-lan-zones:", "yes"},
    {"infra-keep-probing:", "yes"}, /* servers that were down are noticed soon */
};

/* --- settings --- */

static enum rc refuse(struct err *e, const char *what, str value, int code)
{
    (void)err_set(e, RC_PERM, 451, "4.3.5", "DNS is misconfigured");
    err_note(e, "%s " STR_FMT ": %s", what, STR_ARG(value), ub_strerror(code));
    return RC_PERM;
}

static enum rc read_text(const char *path, struct buf *ret)
{
    return path && *path ? file_read(path, ret) : RC_GONE;
}

/* An address with a zone ("fe80::1%eth0") would have the library ask for interfaces later, which the sandbox
 * refuses. */
static int add_server(struct resolver *r, const char *address)
{
    return str_chr(str_c(address), '%') >= 0 ? UB_SYNTAX : ub_ctx_set_fwd(r->library, address);
}

/* "nameserver ADDRESS" (resolv.conf(5)). What cannot be used is left out. */
static void add_system_servers(struct resolver *r, const char *path)
{
    struct buf text = BUF_INIT(FILE_BYTES_MAX);
    enum rc rc = read_text(path, &text);
    if (rc != RC_OK && rc != RC_GONE)
        log_warn("dns: %s cannot be read", path);
    for (str rest = buf_str(&text); rc == RC_OK && rest.n;) {
        str line = str_take(&rest, '\n');
        if (!str_eq(str_word(&line), S("nameserver")))
            continue;
        AUTO(str_freep) char *address = str_dup(str_trim(str_word(&line)));
        int code = add_server(r, address);
        if (code != UB_NOERROR)
            log_warn("dns: %s: nameserver %s: %s", path, address, ub_strerror(code));
    }
    buf_deinit(&text);
}

static enum rc add_servers(struct resolver *r, const struct resolver_conf *conf, struct err *e)
{
    for (size_t i = 0; i < conf->n_servers; i++) {
        int code = add_server(r, conf->servers[i].p);
        if (code != UB_NOERROR)
            return refuse(e, "dns_resolvers:", conf->servers[i], code);
    }
    if (conf->n_servers == 0)
        add_system_servers(r, conf->resolv_conf);
    return RC_OK;
}

static enum rc add_anchor(struct resolver *r, str record, struct err *e)
{
    AUTO(str_freep) char *z = str_dup(record);
    int code = ub_ctx_add_ta(r->library, z);
    return code == UB_NOERROR ? RC_OK : refuse(e, "trust anchor", record, code);
}

static enum rc add_anchor_file(struct resolver *r, const char *path, struct err *e)
{
    struct buf text = BUF_INIT(FILE_BYTES_MAX);
    enum rc rc = file_read(path, &text);
    size_t n = 0;
    if (rc != RC_OK)
        rc = refuse(e, "dns_trust_anchor", str_c(path), UB_READFILE);
    for (str rest = buf_str(&text); rc == RC_OK && rest.n;) {
        str line = str_take(&rest, '\n');
        str record = str_trim(str_take(&line, ';')); /* the rest is a comment */
        if (record.n == 0)
            continue;
        rc = add_anchor(r, record, e);
        n++;
    }
    if (rc == RC_OK && n == 0)
        rc = refuse(e, "dns_trust_anchor has no records:", str_c(path), UB_SYNTAX);
    buf_deinit(&text);
    return rc;
}

static enum rc add_anchors(struct resolver *r, const struct resolver_conf *conf, struct err *e)
{
    enum rc rc = RC_OK;
    if (conf->trust_anchor && *conf->trust_anchor)
        return add_anchor_file(r, conf->trust_anchor, e);
    for (size_t i = 0; i < sizeof root_anchors / sizeof *root_anchors && rc == RC_OK; i++)
        rc = add_anchor(r, str_c(root_anchors[i]), e);
    return rc;
}

static void set_options(struct resolver *r)
{
    for (size_t i = 0; i < sizeof library_options / sizeof *library_options; i++)
        must(ub_ctx_set_option(r->library, library_options[i].name, library_options[i].value) == UB_NOERROR);
    ub_ctx_debugout(r->library, NULL); /* its own words would not have the log's shape */
    must(ub_ctx_async(r->library, 1) == UB_NOERROR);
}

enum rc resolver_new(const struct resolver_conf *conf, struct resolver **ret, struct err *e)
{
    struct resolver *r = calloc(1, sizeof *r);
    struct buf hosts = BUF_INIT(HOSTS_BYTES_MAX);
    must(r);
    r->library = ub_ctx_create();
    must(r->library);
    set_options(r);
    if (read_text(conf->hosts, &hosts) != RC_OK)
        buf_reset(&hosts);
    r->hosts = hosts_new(buf_str(&hosts));
    buf_deinit(&hosts);
    r->cache = answer_cache_new(
        (struct cache_limits){.questions = CACHE_QUESTIONS, .pending = CACHE_PENDING, .bytes = CACHE_BYTES});
    enum rc rc = add_servers(r, conf, e);
    if (rc == RC_OK)
        rc = add_anchors(r, conf, e);
    if (rc == RC_OK) {
        *ret = r;
        return RC_OK;
    }
    ub_ctx_delete(r->library);
    r->hosts = hosts_free(r->hosts);
    r->cache = answer_cache_free(r->cache);
    free(r);
    return rc;
}

/* --- answers --- */

static msec bounded_ttl(int seconds, int max)
{
    if (seconds < TTL_MIN_S)
        seconds = TTL_MIN_S;
    return (msec)(seconds < max ? seconds : max) * 1000;
}

static struct dns_answer *answer_of(const struct ub_result *u)
{
    static const size_t max = RECORDS_MAX;
    size_t n = 0;
    while (u->havedata && !u->bogus && n < max && u->data[n])
        n++;
    str *rdata = calloc(n + 1, sizeof *rdata);
    must(rdata);
    for (size_t i = 0; i < n; i++)
        rdata[i] = str_mem(u->data[i], (size_t)u->len[i]);
    enum dns_security security = u->bogus ? DNS_BOGUS : u->secure ? DNS_SECURE : DNS_INSECURE;
    struct dns_answer *a =
        dns_answer_new(security, u->nxdomain, rdata, n, str_c(u->bogus ? u->why_bogus : ""));
    free(rdata);
    a->ttl_s = u->ttl;
    return a;
}

struct asked {
    struct resolver *resolver;
    struct question *question;
};

/* Runs in the dispatcher, or in the thread that asks when the library does not take the question. */
static void answered(void *arg, int code, struct ub_result *u)
{
    struct asked *q = arg;
    bool failed = code != UB_NOERROR || !u || (!u->bogus && !u->havedata && !u->nxdomain && u->rcode != 0);
    struct dns_answer *a = failed ? NULL : answer_of(u);
    msec ttl = (msec)FAILURE_TTL_S * 1000;
    if (a && a->security != DNS_BOGUS)
        ttl = bounded_ttl(u->ttl, a->n ? TTL_MAX_S : NEGATIVE_TTL_MAX_S);
    cache_settle(q->resolver->cache, q->question, a, ttl);
    ub_resolve_free(u);
    free(q);
}

static void *dispatcher_main(void *arg)
{
    struct resolver *r = arg;
    for (;;) {
        struct pollfd answers = {.fd = ub_fd(r->library), .events = POLLIN};
        (void)poll(&answers, 1, -1);
        must(ub_process(r->library) ==
             UB_NOERROR); /* the library's thread is gone: the master starts us anew */
    }
    return NULL;
}

/* --- questions --- */

static enum rc begin(struct resolver *r, str name, enum dns_type type, struct question **ret)
{
    struct question *q;
    bool asks;
    if (cache_ask(r->cache, name, type, &q, &asks) != RC_OK)
        return RC_TEMP;
    if (asks) {
        AUTO(str_freep) char *z = str_dup(name);
        struct asked *asked = calloc(1, sizeof *asked);
        must(asked);
        *asked = (struct asked){.resolver = r, .question = q};
        if (ub_resolve_async(r->library, z, (int)type, 1, asked, answered, NULL) != UB_NOERROR)
            answered(asked, UB_SERVFAIL, NULL);
    }
    *ret = q;
    return RC_OK;
}

static enum rc ask(struct resolver *r, str name, enum dns_type type, msec deadline,
                   const struct dns_answer **ret)
{
    struct question *q;
    return begin(r, name, type, &q) == RC_OK ? cache_wait(r->cache, q, deadline, ret) : RC_TEMP;
}

enum rc resolver_query(struct resolver *r, str name, enum dns_type type, msec deadline,
                       const struct dns_answer **ret)
{
    if (!dns_name_is_valid(name))
        return RC_INVALID;
    return atomic_load(&r->started) ? ask(r, name, type, deadline, ret) : RC_TEMP;
}

enum rc resolver_ask(struct resolver *r, str name, enum dns_type type, struct question **ret)
{
    if (!dns_name_is_valid(name))
        return RC_INVALID;
    return atomic_load(&r->started) ? begin(r, name, type, ret) : RC_TEMP;
}

enum rc resolver_look(struct resolver *r, struct question **q, const struct dns_answer **ret)
{
    if (!cache_is_settled(r->cache, *q))
        return RC_GONE;
    enum rc rc = cache_wait(r->cache, *q, clock_mono(), ret);
    *q = NULL;
    return rc;
}

void resolver_forget(struct resolver *r, struct question **q)
{
    AUTO(dns_answer_freep) const struct dns_answer *unused = NULL;
    if (*q && cache_wait(r->cache, *q, clock_mono(), &unused) != RC_OK)
        log_debug("dns: a question was given up");
    *q = NULL;
}

enum rc resolver_start(struct resolver *r, struct err *e)
{
    AUTO(dns_answer_freep) const struct dns_answer *a = NULL;
    enum rc rc = thread_start(dispatcher_main, r, 0, "dns-answers");
    /* known to the library itself (RFC 6761 §6.3), so that no network is needed */
    if (rc == RC_OK)
        rc = ask(r, S("localhost"), DNS_A, clock_mono() + START_TIMEOUT_MS, &a);
    if (rc != RC_OK) {
        (void)err_set(e, RC_TEMP, 451, "4.3.0", "Local error in processing");
        err_note(e, "dns: the resolver does not start; is the trust anchor right?");
        return RC_TEMP;
    }
    atomic_store(&r->started, true);
    return RC_OK;
}
