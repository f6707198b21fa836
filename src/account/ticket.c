/* The table of tickets. */
#include "account/ticket.h"

#include "os/crypto.h"
#include "os/secret_pages.h"

#include <pthread.h>

struct slot {
    unsigned char id[TICKET_SIZE];
    msec expires; /* 0: free */
    uint32_t login;
    struct account_identity identity;
};

struct ticket_table {
    pthread_mutex_t lock;
    size_t capacity;
    struct slot *slots; /* secret pages */
};

struct ticket_table *ticket_table_new(size_t capacity)
{
    struct ticket_table *t = calloc(1, sizeof *t);
    must(t && capacity > 0 && pthread_mutex_init(&t->lock, NULL) == 0);
    t->capacity = capacity;
    t->slots = secret_pages_new(capacity * sizeof *t->slots);
    return t;
}

struct ticket_table *ticket_table_free(struct ticket_table *t)
{
    if (!t)
        return NULL;
    secret_pages_free(t->slots, t->capacity * sizeof *t->slots);
    pthread_mutex_destroy(&t->lock);
    free(t);
    return NULL;
}

enum rc ticket_issue(struct ticket_table *t, const struct account_identity *identity, uint32_t login,
                     msec now, unsigned char ret_ticket[TICKET_SIZE])
{
    struct slot *free_slot = NULL;
    must(pthread_mutex_lock(&t->lock) == 0);
    for (size_t i = 0; i < t->capacity; i++) {
        struct slot *s = &t->slots[i];
        if (s->expires != 0 && s->expires <= now)
            crypto_wipe(s, sizeof *s);
        if (s->expires == 0) {
            free_slot = s;
            break;
        }
    }
    if (free_slot) {
        crypto_random(free_slot->id, TICKET_SIZE);
        free_slot->expires = now + TICKET_TTL_MS;
        free_slot->login = login;
        free_slot->identity = *identity;
        memcpy(ret_ticket, free_slot->id, TICKET_SIZE);
    }
    must(pthread_mutex_unlock(&t->lock) == 0);
    return free_slot ? RC_OK : RC_LIMIT;
}

enum rc ticket_redeem(struct ticket_table *t, str ticket, uint32_t login, msec now,
                      struct account_identity *ret)
{
    enum rc rc = RC_GONE;
    must(pthread_mutex_lock(&t->lock) == 0);
    for (size_t i = 0; i < t->capacity; i++) {
        struct slot *s = &t->slots[i];
        if (s->expires == 0 || !str_eq_const_time(str_mem(s->id, TICKET_SIZE), ticket))
            continue;
        if (s->expires > now && s->login == login) {
            *ret = s->identity;
            rc = RC_OK;
        }
        crypto_wipe(s, sizeof *s);
        break;
    }
    must(pthread_mutex_unlock(&t->lock) == 0);
    return rc;
}
