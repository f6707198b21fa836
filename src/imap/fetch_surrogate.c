/* fetch_surrogate: see fetch_surrogate.h. */
#include "imap/fetch_surrogate.h"

#include "base/utf8.h"
#include "fmt/bodystructure.h"
#include "fmt/envelope.h"
#include "fmt/header.h"
#include "fmt/surrogate.h"

enum { TEXT_BYTES = 4 << 20, PARSE_BYTES = 32 << 20 }; /* as the store makes such items */

bool fetch_shows_parts(const struct imap_fetch *fetch)
{
    if (fetch->items & (FETCH_BODY | FETCH_BODYSTRUCTURE))
        return true;
    for (const struct fetch_section *sec = fetch->sections; sec; sec = sec->next)
        if (sec->n_path > 0 || sec->part == FETCH_PART_ALL || sec->part == FETCH_PART_TEXT)
            return true;
    return false;
}

bool fetch_text_may_differ(str text)
{
    return !utf8_is_ascii(text) || str_find(text, S("\"message\" \"global\"")) >= 0;
}

static bool needs_surrogate(struct fetch_message *m, bool parts)
{
    str raw = m->content.raw, header = str_sub(raw, 0, m->header_size);
    parts = parts || str_ifind(header, S("message/global")) >= 0; /* it may be called otherwise */
    return surrogate_differs(header) ||
           (parts && !utf8_is_ascii(raw) && surrogate_is_needed(raw, fetch_message_tree(m)));
}

static void replace(struct fetch_message *m)
{
    str raw = m->content.raw;
    buf_init(&m->own, 2 * raw.n + SURROGATE_ROOM);
    surrogate_put(&m->own, raw, fetch_message_tree(m));
    box_content_close(&m->content);
    m->content.raw = buf_str(&m->own);
    m->header_size = header_size(m->content.raw);
    m->arena = arena_free(m->arena);
    m->root = NULL;
    m->last = (struct mime_span){0};
    m->cursor = (struct crlf_cursor){0};
}

bool fetch_message_replace(struct fetch_message *m, bool parts)
{
    if (m->surrogate == SURROGATE_UNKNOWN || (m->surrogate == SURROGATE_NOT_FOR_HEADER && parts)) {
        m->surrogate = parts ? SURROGATE_NOT : SURROGATE_NOT_FOR_HEADER;
        if (needs_surrogate(m, parts)) {
            m->surrogate = SURROGATE_IS;
            replace(m);
        }
    }
    return m->surrogate == SURROGATE_IS;
}

void fetch_text_put(struct imap_session *s, struct fetch_message *m, enum fetch_item item, str kept)
{
    AUTO(arena_freep) struct arena *a = arena_new(PARSE_BYTES);
    AUTO(buf_deinit) struct buf text = BUF_INIT(TEXT_BYTES);
    str raw = m->content.raw;
    if (item == FETCH_ENVELOPE)
        envelope_put(&text, str_sub(raw, 0, m->header_size), a);
    else
        bodystructure_put(&text, raw, fetch_message_tree(m), item == FETCH_BODYSTRUCTURE, a);
    fetch_put(s, text.overflow ? kept : buf_str(&text));
}
