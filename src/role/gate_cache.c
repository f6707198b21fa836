#include "role/gate_cache.h"

#include "base/log.h"
#include "base/map.h"
#include "os/file.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HEAD = 64, KEY_AT = 16, BUCKETS_AT = 32, BUCKET = 8 };

static const char magic[KEY_AT] = "malle gate 1\n";

struct gate_cache {
    pthread_mutex_t lock;
    char *map;
    size_t bytes, buckets;
    uint64_t key[2];
};

static void make_head(char *map, size_t buckets)
{
    uint64_t key[2];
    must(getrandom(key, sizeof key, 0) == (ssize_t)sizeof key);
    memcpy(map + KEY_AT, key, sizeof key);
    for (size_t i = 0; i < 8; i++)
        map[BUCKETS_AT + i] = (char)(buckets >> 8 * i);
    memcpy(map, magic, sizeof magic);
}

static bool has_head(const char *map, size_t buckets)
{
    uint64_t n = 0;
    for (size_t i = 0; i < 8; i++)
        n |= (uint64_t)(unsigned char)map[BUCKETS_AT + i] << 8 * i;
    return memcmp(map, magic, sizeof magic) == 0 && n == buckets;
}

/* The file with all its blocks, so that none is missing when it is written through the mapping. A file of
 * another size is emptied. */
static int open_file(const char *state_dir, size_t bytes)
{
    AUTO(buf_deinit) struct buf path = BUF_INIT(2000);
    struct stat st;
    buf_printf(&path, "%s/gate-cache", state_dir);
    int fd = open(buf_cstr(&path), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) ||
        ((size_t)st.st_size != bytes && ftruncate(fd, 0) != 0) || posix_fallocate(fd, 0, (off_t)bytes) != 0) {
        log_warn("gate: %s cannot be used: new clients are remembered until a restart", buf_cstr(&path));
        fd_closep(&fd);
    }
    return fd;
}

static char *map_bytes(int fd, size_t bytes)
{
    int flags = fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED;
    void *map = mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags, fd, 0);
    must(map != MAP_FAILED);
    return map;
}

struct gate_cache *gate_cache_open(const char *state_dir, size_t entries)
{
    if (entries == 0)
        return NULL;
    struct gate_cache *c = calloc(1, sizeof *c);
    must(c && pthread_mutex_init(&c->lock, NULL) == 0);
    c->buckets = (entries + BUCKET - 1) / BUCKET;
    c->bytes = HEAD + c->buckets * BUCKET * GATE_RECORD_SIZE;
    AUTO(fd_closep) int fd = state_dir ? open_file(state_dir, c->bytes) : -1;
    c->map = map_bytes(fd, c->bytes);
    if (!has_head(c->map, c->buckets))
        make_head(c->map, c->buckets);
    memcpy(c->key, c->map + KEY_AT, sizeof c->key);
    return c;
}

struct gate_cache *gate_cache_close(struct gate_cache *c)
{
    if (c) {
        munmap(c->map, c->bytes);
        pthread_mutex_destroy(&c->lock);
        free(c);
    }
    return NULL;
}

static char *bucket_of(const struct gate_cache *c, const uint8_t address[16])
{
    uint64_t hash = map_siphash(c->key, str_mem(address, 16));
    return c->map + HEAD + hash % c->buckets * BUCKET * GATE_RECORD_SIZE;
}

/* Another process may write the record meanwhile: what was copied is what counts. */
static enum rc read_record(const struct gate_cache *c, const char *at, struct gate_record *ret)
{
    char copy[GATE_RECORD_SIZE];
    memcpy(copy, at, sizeof copy);
    return gate_record_parse(copy, c->key, ret);
}

enum rc gate_cache_find(struct gate_cache *c, const uint8_t address[16], struct gate_record *ret)
{
    enum rc rc = RC_GONE;
    struct gate_record r;
    if (!c)
        return rc;
    pthread_mutex_lock(&c->lock);
    const char *bucket = bucket_of(c, address);
    for (size_t i = 0; i < BUCKET && rc != RC_OK; i++)
        if (read_record(c, bucket + i * GATE_RECORD_SIZE, &r) == RC_OK &&
            memcmp(r.address, address, sizeof r.address) == 0) {
            *ret = r;
            rc = RC_OK;
        }
    pthread_mutex_unlock(&c->lock);
    return rc;
}

/* Its own place, a free one, or that of the record that expires first. */
static char *place_for(const struct gate_cache *c, const struct gate_record *r)
{
    char *bucket = bucket_of(c, r->address), *place = bucket;
    uint32_t first = UINT32_MAX;
    for (size_t i = 0; i < BUCKET; i++) {
        char *at = bucket + i * GATE_RECORD_SIZE;
        struct gate_record other;
        bool whole = read_record(c, at, &other) == RC_OK;
        if (whole && memcmp(other.address, r->address, sizeof r->address) == 0)
            return at;
        uint32_t end = whole ? gate_record_end(&other) : 0;
        if (end < first) {
            first = end;
            place = at;
        }
    }
    return place;
}

void gate_cache_put(struct gate_cache *c, const struct gate_record *r)
{
    char bytes[GATE_RECORD_SIZE];
    if (!c)
        return;
    gate_record_format(r, c->key, bytes);
    pthread_mutex_lock(&c->lock);
    memcpy(place_for(c, r), bytes, sizeof bytes);
    pthread_mutex_unlock(&c->lock);
}
