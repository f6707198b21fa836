/* Fuzzy matching: any bytes are harmless, scores keep their range, and what holds the text is found. The
 * input is what is looked for, a line feed, and the text. */
#include "fmt/fuzzy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzzy f;
    str text = str_mem(data, size), needle = str_take(&text, '\n');
    if (fuzzy_init(&f, needle) != RC_OK)
        return 0;
    must(f.n <= FUZZY_WORDS_MAX);
    fuzzy_begin(&f);
    bool better = fuzzy_look(&f, text);
    must(fuzzy_score(&f) <= FUZZY_EXACT && (better || f.n == 0 || fuzzy_score(&f) == FUZZY_EXACT));
    fuzzy_begin(&f);
    (void)fuzzy_look(&f, needle);
    for (size_t i = 0; i < f.n; i++)
        must(f.words[i].best >= (f.words[i].cut ? 75 : FUZZY_EXACT));
    return 0;
}
