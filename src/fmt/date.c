/* Mail and IMAP dates; see date.h. Days are counted in the proleptic Gregorian calendar, in eras of 400 years
 * that begin on 1 March, so that the leap day is the last of its year. A leap second counts as the second
 * before it. */
#include "fmt/date.h"

#include "base/num.h"
#include "fmt/lex.h"

enum { DAY_SECONDS = 86400, ERA_DAYS = 146097, DAYS_TO_1970 = 719468, YEAR_MAX = 9999, ZONE_MAX = 24 * 60 };

static const char month_names[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
static const char day_names[7][4] = {"Thu", "Fri", "Sat", "Sun",
                                     "Mon", "Tue", "Wed"}; /* 1970-01-01 was a Thursday */

struct civil {
    int year, month, day; /* month and day from 1 */
    int hour, minute, second;
};

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static int64_t civil_day(const struct civil *c)
{
    int64_t year = c->year - (c->month <= 2);
    int64_t era = floor_div(year, 400), year_of_era = year - era * 400;
    int64_t day_of_year = (153 * ((c->month + 9) % 12) + 2) / 5 + c->day - 1;
    return era * ERA_DAYS + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year -
           DAYS_TO_1970;
}

static struct civil civil_from_day(int64_t day)
{
    struct civil c = {0};
    int64_t shifted = day + DAYS_TO_1970, era = floor_div(shifted, ERA_DAYS), d = shifted - era * ERA_DAYS;
    int64_t year = (d - d / 1460 + d / 36524 - d / 146096) / 365;
    int64_t day_of_year = d - (365 * year + year / 4 - year / 100), month = (5 * day_of_year + 2) / 153;
    c.day = (int)(day_of_year - (153 * month + 2) / 5) + 1;
    c.month = (int)(month < 10 ? month + 3 : month - 9);
    c.year = (int)(year + era * 400 + (c.month <= 2));
    return c;
}

static int64_t local_seconds(struct date d)
{
    return d.seconds + (int64_t)d.zone_minutes * 60;
}

int64_t date_day(struct date d)
{
    return floor_div(local_seconds(d), DAY_SECONDS);
}

static struct civil civil_from_date(struct date d)
{
    int64_t day = date_day(d), rest = local_seconds(d) - day * DAY_SECONDS;
    struct civil c = civil_from_day(day);
    c.hour = (int)(rest / 3600);
    c.minute = (int)(rest / 60 % 60);
    c.second = (int)(rest % 60);
    return c;
}

static bool is_day_valid(const struct civil *c)
{
    if (c->year < 1 || c->year > YEAR_MAX || c->month < 1 || c->day < 1 || c->day > 31)
        return false;
    struct civil same = civil_from_day(civil_day(c));
    return same.month == c->month && same.day == c->day;
}

static enum rc date_from_civil(struct civil *c, int zone_minutes, struct date *ret)
{
    if (!is_day_valid(c) || c->hour > 23 || c->minute > 59 || c->second > 60)
        return RC_INVALID;
    if (c->second == 60)
        c->second = 59;
    ret->seconds =
        civil_day(c) * DAY_SECONDS + c->hour * 3600 + c->minute * 60 + c->second - zone_minutes * 60;
    ret->zone_minutes = zone_minutes;
    return RC_OK;
}

/* Index of the name, or -1; three letters count, so that "September" and "Sept" are read. */
static int find_month(str s)
{
    for (int i = 0; i < 12; i++)
        if (str_istarts(s, str_c(month_names[i])))
            return i;
    return -1;
}

/* Digits at the cursor behind CFWS, at most `max` of them; -1 when there is none. ret_digits may be NULL. */
static int take_number(struct lex *l, size_t max, size_t *ret_digits)
{
    size_t digits = 0;
    int value = 0, c;
    lex_cfws(l);
    for (; (c = lex_peek(l)) >= '0' && c <= '9' && digits < max; digits++, l->i++)
        value = value * 10 + (c - '0');
    if (ret_digits)
        *ret_digits = digits;
    return digits ? value : -1;
}

static str take_letters(struct lex *l)
{
    lex_cfws(l);
    size_t start = l->i;
    while (lex_peek(l) >= 0 && ascii_alpha((char)lex_peek(l)))
        l->i++;
    return str_sub(l->s, start, l->i - start);
}

static bool take_char(struct lex *l, char c)
{
    lex_cfws(l);
    if (lex_peek(l) != c)
        return false;
    l->i++;
    return true;
}

/* obs-zone = "UT" / "GMT" / "EST" / ... / military letters, which RFC 5322 §4.3 says to take as -0000 */
static int named_zone(str name)
{
    static const struct {
        str name;
        int hours;
    } zones[] = {{S("EST"), -5}, {S("EDT"), -4}, {S("CST"), -6}, {S("CDT"), -5},
                 {S("MST"), -7}, {S("MDT"), -6}, {S("PST"), -8}, {S("PDT"), -7}};
    for (size_t i = 0; i < sizeof zones / sizeof zones[0]; i++)
        if (str_ieq(name, zones[i].name))
            return zones[i].hours * 60;
    return 0;
}

/* zone = (FWS ( "+" / "-" ) 4DIGIT) / (FWS obs-zone) */
static int take_zone(struct lex *l)
{
    bool west = take_char(l, '-');
    if (!west && !take_char(l, '+'))
        return named_zone(take_letters(l));
    size_t digits;
    int hhmm = take_number(l, 4, &digits);
    int minutes = hhmm / 100 * 60 + hhmm % 100;
    if (digits != 4 || hhmm % 100 > 59 || minutes > ZONE_MAX)
        return 0;
    return west ? -minutes : minutes;
}

/* year = 4*DIGIT / obs-year: two digits below 50 are 20xx, other short ones are counted from 1900 */
static int take_year(struct lex *l)
{
    size_t digits;
    int year = take_number(l, 4, &digits);
    if (digits == 2 && year < 50)
        return year + 2000;
    return digits == 2 || digits == 3 ? year + 1900 : year;
}

/* time-of-day = hour ":" minute [ ":" second ] */
static bool take_time(struct lex *l, struct civil *c)
{
    c->hour = take_number(l, 2, NULL);
    if (c->hour < 0 || !take_char(l, ':'))
        return false;
    c->minute = take_number(l, 2, NULL);
    if (take_char(l, ':'))
        c->second = take_number(l, 2, NULL);
    return c->minute >= 0 && c->second >= 0;
}

/* date-time = [ day-of-week "," ] day month year time-of-day zone */
enum rc date_parse_mail(str s, struct date *ret)
{
    struct lex l = {.s = s};
    struct civil c = {0};
    (void)take_letters(&l);
    (void)take_char(&l, ',');
    c.day = take_number(&l, 2, NULL);
    (void)take_char(&l, '-');
    c.month = find_month(take_letters(&l)) + 1;
    (void)take_char(&l, '-');
    c.year = take_year(&l);
    if (c.day < 0 || c.month < 1 || c.year < 0 || !take_time(&l, &c))
        return RC_INVALID;
    return date_from_civil(&c, take_zone(&l), ret);
}

/* Two digits behind a separator; a FETCH writes 100,000 dates, so none of this goes through printf. */
static void put_two(struct buf *out, char before, int n)
{
    buf_putc(out, before);
    buf_putc(out, (char)('0' + n / 10));
    buf_putc(out, (char)('0' + n % 10));
}

static void put_zone(struct buf *out, int minutes)
{
    int m = minutes < 0 ? -minutes : minutes;
    buf_putc(out, ' ');
    put_two(out, minutes < 0 ? '-' : '+', m / 60);
    buf_putc(out, (char)('0' + m % 60 / 10));
    buf_putc(out, (char)('0' + m % 10));
}

void date_format_mail(struct buf *out, struct date d)
{
    struct civil c = civil_from_date(d);
    int64_t day = date_day(d);
    buf_printf(out, "%s, %02d %s %04d %02d:%02d:%02d", day_names[day - floor_div(day, 7) * 7], c.day,
               month_names[c.month - 1], c.year, c.hour, c.minute, c.second);
    put_zone(out, d.zone_minutes);
}

/* Exactly n digits at s[from]; -1 otherwise. */
static int fixed_number(str s, size_t from, size_t n)
{
    uint32_t value;
    str digits = str_sub(s, from, n);
    return digits.n == n && num_parse_u32(digits, 9999, &value) == RC_OK ? (int)value : -1;
}

/* "-" date-month "-" date-year at s[from] */
static bool read_month_year(str s, size_t from, struct civil *c)
{
    str month = str_sub(s, from + 1, 3);
    if (s.n < from + 9 || s.p[from] != '-' || s.p[from + 4] != '-')
        return false;
    c->month = find_month(month) + 1;
    c->year = fixed_number(s, from + 5, 4);
    return c->month > 0 && c->year > 0;
}

/* date-time = date-day-fixed "-" date-month "-" date-year SP time SP zone, 26 bytes */
enum rc date_parse_imap(str s, struct date *ret)
{
    struct civil c = {0};
    if (s.n != 26 || !read_month_year(s, 2, &c) || s.p[11] != ' ' || s.p[14] != ':' || s.p[17] != ':' ||
        s.p[20] != ' ' || (s.p[21] != '+' && s.p[21] != '-'))
        return RC_INVALID;
    c.day = s.p[0] == ' ' ? fixed_number(s, 1, 1) : fixed_number(s, 0, 2);
    c.hour = fixed_number(s, 12, 2);
    c.minute = fixed_number(s, 15, 2);
    c.second = fixed_number(s, 18, 2);
    int zone_hours = fixed_number(s, 22, 2), zone_minutes = fixed_number(s, 24, 2);
    if (c.day < 0 || c.hour < 0 || c.minute < 0 || c.second < 0 || zone_hours < 0 || zone_minutes < 0 ||
        zone_minutes > 59 || zone_hours * 60 + zone_minutes > ZONE_MAX)
        return RC_INVALID;
    int zone = zone_hours * 60 + zone_minutes;
    return date_from_civil(&c, s.p[21] == '-' ? -zone : zone, ret);
}

void date_format_imap(struct buf *out, struct date d)
{
    struct civil c = civil_from_date(d);
    buf_putc(out, (char)(c.day < 10 ? ' ' : '0' + c.day / 10));
    buf_putc(out, (char)('0' + c.day % 10));
    buf_putc(out, '-');
    buf_puts(out, str_c(month_names[c.month - 1]));
    put_two(out, '-', c.year / 100);
    buf_putc(out, (char)('0' + c.year % 100 / 10));
    buf_putc(out, (char)('0' + c.year % 10));
    put_two(out, ' ', c.hour);
    put_two(out, ':', c.minute);
    put_two(out, ':', c.second);
    put_zone(out, d.zone_minutes);
}

/* date-text = date-day "-" date-month "-" date-year, date-day = 1*2DIGIT */
enum rc date_parse_imap_day(str s, int64_t *ret_day)
{
    struct civil c = {0};
    size_t day_digits = s.n == 10 ? 1 : 2;
    if ((s.n != 10 && s.n != 11) || !read_month_year(s, day_digits, &c))
        return RC_INVALID;
    c.day = fixed_number(s, 0, day_digits);
    if (!is_day_valid(&c))
        return RC_INVALID;
    *ret_day = civil_day(&c);
    return RC_OK;
}

void date_format_imap_day(struct buf *out, int64_t day)
{
    struct civil c = civil_from_day(day);
    buf_printf(out, "%d-%s-%04d", c.day, month_names[c.month - 1], c.year);
}

/* time-offset = "Z" / ("+" / "-") time-hour ":" time-minute; -1 * ZONE_MAX - 1 when it is none */
static int internet_zone(str s)
{
    int hours = fixed_number(s, 1, 2), minutes = fixed_number(s, 4, 2);
    if (str_ieq(s, S("Z")))
        return 0;
    if (s.n != 6 || (s.p[0] != '+' && s.p[0] != '-') || s.p[3] != ':' || hours < 0 || hours > 23 ||
        minutes < 0 || minutes > 59)
        return -ZONE_MAX - 1;
    return s.p[0] == '-' ? -(hours * 60 + minutes) : hours * 60 + minutes;
}

/* date-time = 4DIGIT "-" 2DIGIT "-" 2DIGIT "T" 2DIGIT ":" 2DIGIT ":" 2DIGIT ["." 1*DIGIT] time-offset */
enum rc date_parse_internet(str s, struct date *ret)
{
    struct civil c;
    size_t end = 19;
    if (s.n < 20 || s.p[4] != '-' || s.p[7] != '-' || ascii_upper(s.p[10]) != 'T' || s.p[13] != ':' ||
        s.p[16] != ':')
        return RC_INVALID;
    c.year = fixed_number(s, 0, 4);
    c.month = fixed_number(s, 5, 2);
    c.day = fixed_number(s, 8, 2);
    c.hour = fixed_number(s, 11, 2);
    c.minute = fixed_number(s, 14, 2);
    c.second = fixed_number(s, 17, 2);
    if (s.p[end] == '.')
        for (end++; end < s.n && ascii_digit(s.p[end]);)
            end++;
    int zone = internet_zone(str_from(s, end));
    if (s.p[end - 1] == '.' || zone < -ZONE_MAX || c.month < 1 || c.hour < 0 || c.minute < 0 || c.second < 0)
        return RC_INVALID;
    return date_from_civil(&c, zone, ret);
}

void date_format_internet(struct buf *out, int64_t seconds)
{
    struct civil c = civil_from_date((struct date){.seconds = seconds});
    buf_printf(out, "%04d-%02d-%02dT%02d:%02d:%02dZ", c.year, c.month, c.day, c.hour, c.minute, c.second);
}
