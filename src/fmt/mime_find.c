/* Questions about a parsed message: types, parameters, and IMAP's section numbers (RFC 9051 §6.4.5.1). */
#include "fmt/mime.h"

bool mime_is(const struct mime_part *part, str type, str subtype)
{
    str have_type = part->type, have_subtype = part->subtype;
    if (!have_type.p) {
        bool digest = part->parent && part->parent->kind == MIME_MULTIPART &&
                      mime_is(part->parent, S("multipart"), S("digest"));
        have_type = digest ? S("message") : S("text");
        have_subtype = digest ? S("rfc822") : S("plain");
    }
    return str_ieq(have_type, type) && (subtype.n == 0 || str_ieq(have_subtype, subtype));
}

str mime_param(const struct mime_params *params, str name)
{
    for (size_t i = 0; i < params->n; i++)
        if (str_ieq(params->p[i].name, name))
            return params->p[i].value;
    return STR_NONE;
}

static const struct mime_part *nth_child(const struct mime_part *part, uint32_t n)
{
    const struct mime_part *child = part->child;
    while (child && n > 1) {
        child = child->next;
        n--;
    }
    return n ? child : NULL;
}

/* Part n of a message: a child of its multipart, or the body itself as part 1. */
static const struct mime_part *part_of_message(const struct mime_part *message, uint32_t n)
{
    if (message->kind == MIME_MULTIPART)
        return nth_child(message, n);
    return n == 1 ? message : NULL;
}

const struct mime_part *mime_find(const struct mime_part *root, const uint32_t *numbers, size_t n)
{
    const struct mime_part *part = root;
    for (size_t i = 0; part && i < n; i++) {
        if (i == 0)
            part = part_of_message(part, numbers[i]);
        else if (part->kind == MIME_MESSAGE)
            part = part_of_message(part->child, numbers[i]);
        else
            part = part->kind == MIME_MULTIPART ? nth_child(part, numbers[i]) : NULL;
    }
    return part;
}

static struct mime_span whole(const struct mime_part *part)
{
    return (struct mime_span){part->header.start, part->body.end, part->header.crlf + part->body.crlf,
                              part->header.lines + part->body.lines};
}

bool mime_section(const struct mime_part *root, const uint32_t *numbers, size_t n, enum mime_section which,
                  struct mime_span *ret)
{
    const struct mime_part *part = mime_find(root, numbers, n);
    if (!part || (n == 0 && which == MIME_SECTION_MIME))
        return false;
    if (which == MIME_SECTION_BODY) {
        *ret = n ? part->body : whole(part);
        return true;
    }
    if (which == MIME_SECTION_MIME) {
        *ret = part->header;
        return true;
    }
    if (n && part->kind != MIME_MESSAGE)
        return false;
    const struct mime_part *message = n ? part->child : part;
    *ret = which == MIME_SECTION_HEADER ? message->header : message->body;
    return true;
}
