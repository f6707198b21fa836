/* base_subject: the steps of RFC 5256 §2.1 on views of one cleaned copy.
 *
 * subject      = *subj-leader [subj-middle] *subj-trailer
 * subj-refwd   = ("re" / ("fw" ["d"])) *WSP [subj-blob] ":"
 * subj-blob    = "[" *BLOBCHAR "]" *WSP                 ; BLOBCHAR: anything but "[" and "]"
 * subj-fwd     = "[fwd:" subject "]"
 * subj-leader  = (*subj-blob subj-refwd) / WSP
 * subj-trailer = "(fwd)" / WSP */
#include "fmt/base_subject.h"

static bool is_wsp(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Step 1: white space of any kind and length is one space. */
static void put_clean(struct buf *out, str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (!is_wsp(s.p[i]))
            buf_putc(out, s.p[i]);
        else if (i == 0 || !is_wsp(s.p[i - 1]))
            buf_putc(out, ' ');
    }
}

static str skip_space(str s)
{
    while (s.n && s.p[0] == ' ')
        s = str_from(s, 1);
    return s;
}

/* Bytes of a subj-blob at the begin, 0 when there is none. */
static size_t blob_size(str s)
{
    if (!str_starts(s, S("[")))
        return 0;
    for (size_t i = 1; i < s.n && s.p[i] != '['; i++)
        if (s.p[i] == ']')
            return s.n - skip_space(str_from(s, i + 1)).n;
    return 0;
}

/* Bytes of a subj-refwd at the begin. */
static size_t refwd_size(str s)
{
    static const str words[] = {S("re"), S("fwd"), S("fw")};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (!str_istarts(s, words[i]))
            continue;
        str rest = skip_space(str_from(s, words[i].n));
        rest = str_from(rest, blob_size(rest));
        if (str_starts(rest, S(":")))
            return s.n - rest.n + 1;
    }
    return 0;
}

/* Step 2. */
static str without_trailers(str s, bool *reply)
{
    static const str fwd = S("(fwd)");
    for (;;) {
        if (s.n && s.p[s.n - 1] == ' ') {
            s.n--;
        } else if (s.n >= fwd.n && str_ieq(str_from(s, s.n - fwd.n), fwd)) {
            s.n -= fwd.n;
            *reply = true;
        } else {
            return s;
        }
    }
}

/* Steps 3 to 5. Blobs that no subj-refwd follows go as well, all but one that would leave nothing. */
static str without_leaders(str s, bool *reply)
{
    for (;;) {
        s = skip_space(s);
        str rest = s, last = s;
        for (size_t blob; (blob = blob_size(rest));) {
            last = rest;
            rest = str_from(rest, blob);
        }
        size_t refwd = refwd_size(rest);
        if (refwd == 0)
            return rest.n ? rest : last;
        *reply = true;
        s = str_from(rest, refwd);
    }
}

void base_subject_put(struct buf *out, str subject, bool *ret_reply)
{
    AUTO(buf_deinit) struct buf clean = BUF_INIT(subject.n + 1);
    bool reply = false;
    put_clean(&clean, subject);
    str s = buf_str(&clean);
    for (;;) {
        s = without_leaders(without_trailers(s, &reply), &reply);
        if (!str_istarts(s, S("[fwd:")) || s.p[s.n - 1] != ']')
            break;
        s = str_sub(s, 5, s.n - 6); /* step 6 */
        reply = true;
    }
    buf_puts(out, s);
    if (ret_reply)
        *ret_reply = reply;
}
