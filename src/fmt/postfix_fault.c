#include "fmt/postfix_fault.h"

enum rc postfix_fault_add(struct postfix_faults *f, struct arena *a, int line, const char *why, str text)
{
    if (f->n == POSTFIX_FAULTS_MAX)
        return RC_LIMIT;
    /* full at each power of two from 8 on */
    if (f->n == 0 || (f->n >= 8 && (f->n & (f->n - 1)) == 0)) {
        struct postfix_fault *grown = arena_grow(a, f->list, f->n, sizeof *grown);
        if (!grown)
            return RC_LIMIT;
        f->list = grown;
    }
    text = arena_str(a, str_sub(text, 0, POSTFIX_FAULT_TEXT_MAX));
    if (!text.p)
        return RC_LIMIT;
    f->list[f->n++] = (struct postfix_fault){line, why, text};
    return RC_OK;
}
