/* POP3 command lines: what is parsed lies within the line and fits its verb. */
#include "fmt/pop3_cmd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_within(str part, str line)
{
    must(part.n == 0 || (part.p >= line.p && part.p + part.n <= line.p + line.n));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    str line = str_mem(data, size);
    struct pop3_cmd cmd;
    if (pop3_cmd_parse(line, &cmd) != RC_OK)
        return 0;
    must(str_istarts(line, str_c(pop3_verb_name(cmd.verb))));
    must(!cmd.has_number || cmd.number > 0);
    check_within(cmd.text, line);
    check_within(cmd.initial, line);
    return 0;
}
