/* Lines about log-ins: a failure has a reason and leaves nothing behind; what succeeds is the same again, and
 * does not grow with nothing in it. The first line is the format, the rest the elements; and the text of a
 * line about the end of a session or a delivery, or about a message. */
#include "fmt/log_fields.h"
#include "fmt/login_format.h"
#include "fmt/mail_log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static str find(void *ctx, str name)
{
    bool empty = *(const bool *)ctx;
    return name.n % 5 == 4 ? STR_NONE : empty ? S("") : S("joe@example.com");
}

static void put_fields(enum log_fields_kind kind, str format)
{
    AUTO(buf_deinit) struct buf out = BUF_INIT(16384);
    struct log_fields f = {.kind = kind};
    struct err e = {0};
    log_fields_name(&f, S("joe@example.com"));
    enum rc rc = log_fields_put(&f, format, &out, &e);
    must(rc == e.rc && (rc == RC_OK || (out.n == 0 && e.peer[0])));
}

/* One line, whatever is in the message. */
static void put_message(str words, str text)
{
    AUTO(buf_deinit) struct buf out = BUF_INIT(16384);
    const struct mail_log_message m = {
        .uid = 1, .msgid = text, .from = text, .subject = text, .flags = S("")};
    struct mail_log_terms terms;
    mail_log_parse(words, words, &terms, NULL);
    mail_log_put(terms.fields, S("INBOX"), &m, &out);
    must(!out.overflow && str_chr(buf_str(&out), '\n') < 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    str elements = str_mem(data, size), format = str_take(&elements, '\n');
    AUTO(buf_deinit) struct buf out = BUF_INIT(16384), again = BUF_INIT(16384), bare = BUF_INIT(16384);
    struct err e = {0};
    bool empty = false;
    if (size > 8192)
        return 0;
    put_message(format, elements);
    put_fields(LOG_FIELDS_IMAP, format);
    put_fields(LOG_FIELDS_POP3, format);
    put_fields(LOG_FIELDS_DELIVER, format);
    buf_putc(&out, '>');
    enum rc rc = login_format_put(format, elements, S("Login"), find, &empty, &out, &e);
    must(rc == e.rc && (rc == RC_OK || (out.n == 1 && e.peer[0])));
    must(login_format_put(format, elements, S("Login"), find, &empty, &again, NULL) == rc);
    must(str_eq(str_from(buf_str(&out), 1), buf_str(&again)));
    empty = true;
    enum rc without = login_format_put(format, elements, S("Login"), find, &empty, &bare, NULL);
    must(rc != RC_OK || (without == RC_OK && bare.n <= again.n));
    return 0;
}
