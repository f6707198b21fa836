/* SEARCH programs: whatever is accepted is a tree within its limits whose strings are UTF-8. */
#include "base/utf8.h"
#include "fmt/imap_search.h"

#define ARENA_MAX (4 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t check_node(const struct search_node *node, unsigned depth)
{
    size_t count = 1, children = 0;
    /* a level of NOT or OR and one of parentheses each count; NEW adds one */
    must(depth <= IMAP_NESTING_MAX + 2);
    must(utf8_valid(node->text) && utf8_valid(node->field));
    must(node->number >= 0 || node->key == SEARCH_BEFORE || node->key == SEARCH_ON ||
         node->key == SEARCH_SINCE || node->key == SEARCH_SENTBEFORE || node->key == SEARCH_SENTON ||
         node->key == SEARCH_SENTSINCE);
    for (const struct search_node *child = node->child; child; child = child->next) {
        count += check_node(child, depth + 1);
        children++;
    }
    must(children == 0 || node->key == SEARCH_AND || node->key == SEARCH_OR);
    must(node->key != SEARCH_OR || children == 2);
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(arena_freep) struct arena *a = arena_new(ARENA_MAX);
    struct imap_lex lex;
    struct search_node *root;
    imap_lex_init(&lex, str_mem(data, size), a);
    if (imap_search_parse(&lex, &root) != RC_OK)
        return 0;
    must(lex.at <= size && lex.depth == 0);
    must(check_node(root, 0) <= SEARCH_NODES_MAX);
    return 0;
}
