/* Dates: what one parser accepts, its formatter writes so that it is read as the same again. */
#include "fmt/date.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool same(struct date a, struct date b)
{
    return a.seconds == b.seconds && a.zone_minutes == b.zone_minutes;
}

static void check_date(struct date d)
{
    struct date again;
    struct buf text = BUF_INIT(100);
    date_format_mail(&text, d);
    must(date_parse_mail(buf_str(&text), &again) == RC_OK && same(d, again));
    buf_reset(&text);
    date_format_imap(&text, d);
    must(text.n == 26 && date_parse_imap(buf_str(&text), &again) == RC_OK && same(d, again));
    buf_deinit(&text);
}

static void check_day(int64_t day)
{
    int64_t again;
    struct buf text = BUF_INIT(100);
    date_format_imap_day(&text, day);
    must(date_parse_imap_day(buf_str(&text), &again) == RC_OK && again == day);
    buf_deinit(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    str in = str_mem(data, size);
    struct date d;
    int64_t day;
    if (date_parse_mail(in, &d) == RC_OK)
        check_date(d);
    if (date_parse_imap(in, &d) == RC_OK)
        check_date(d);
    if (date_parse_internet(in, &d) == RC_OK)
        check_date(d);
    if (date_parse_imap_day(in, &day) == RC_OK)
        check_day(day);
    return 0;
}
