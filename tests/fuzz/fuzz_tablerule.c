/* Rules of pattern tables: a rule that is read can be written and read again; a result that is approved fills
 * without its groups to at most its own length. Input: one line. */
#include "fmt/pcre.h"
#include "fmt/tablerule.h"
#include "fmt/tabletext.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_again(str line, const struct tablerule *rule)
{
    struct buf out = BUF_INIT(3 * line.n + 20);
    struct tablerule again;
    const char *keyword = rule->kind == TABLERULE_IF ? "if " : rule->kind == TABLERULE_ENDIF ? "endif " : "";
    buf_printf(&out, "%s%s", keyword, rule->negated ? "!" : "");
    if (rule->kind != TABLERULE_ENDIF) {
        char delimiter[2] = {rule->pattern.p[-1]};
        buf_printf(&out, "%s", delimiter);
        buf_puts(&out, rule->pattern);
        buf_printf(&out, "%s", delimiter);
        buf_puts(&out, rule->flags);
        buf_putc(&out, ' ');
    }
    buf_puts(&out, rule->result);
    must(tablerule_parse_pattern(buf_str(&out), &again) == NULL);
    must(again.kind == rule->kind && again.negated == rule->negated && str_eq(again.pattern, rule->pattern) &&
         str_eq(again.flags, rule->flags) && str_eq(again.result, rule->result));
    buf_deinit(&out);
}

static void check_result(str result)
{
    struct buf out = BUF_INIT(result.n + 1);
    unsigned groups = 0;
    str none[TABLERULE_GROUPS_MAX + 1] = {{0}};
    if (!tablerule_check_result(result, &groups)) {
        must(groups <= TABLERULE_GROUPS_MAX);
        tablerule_put_result(&out, result, none, groups + 1);
        must(!out.overflow && out.n <= result.n);
    }
    buf_deinit(&out);
}

static void check_pattern(str pattern, str subject)
{
    struct pcre *p = NULL;
    str groups[3];
    if (pattern.n > 60 || pcre_new(pattern, PCRE_CASELESS | PCRE_DOTALL, &p, NULL) != RC_OK)
        return;
    if (pcre_match(p, subject, groups, 3) == RC_OK) {
        for (int i = 0; i < 3; i++)
            must(groups[i].n == 0 ||
                 (groups[i].p >= subject.p && groups[i].p + groups[i].n <= subject.p + subject.n));
    }
    pcre_free(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    str line = str_mem(data, size);
    struct tablerule rule;
    struct tablerule_net net, address;
    if (size == 0 || memchr(data, 0, size))
        return 0;
    if (!tablerule_parse_pattern(line, &rule)) {
        if (rule.kind == TABLERULE_ENDIF || rule.pattern.p[-1] != '!')
            check_again(line, &rule);
        check_pattern(rule.pattern, rule.result);
        check_result(rule.result);
    }
    if (!tablerule_parse_network(line, &rule) && !tablerule_net_parse(rule.pattern, &net)) {
        str bare = rule.pattern;
        bare = str_take(&bare, '/');
        if (tablerule_address_parse(bare, &address) == RC_OK)
            must(tablerule_net_has(&net, &address));
    }
    return 0;
}
