#include "smtp/characters.h"

#include <string.h>

static void set_bit(uint8_t bits[32], unsigned char c)
{
    bits[c / 8] |= (uint8_t)(1U << c % 8);
}

static bool has_bit(const uint8_t bits[32], unsigned char c)
{
    return bits[c / 8] >> c % 8 & 1;
}

/* octal = 1*3( "0" to "7" ) */
static unsigned char take_octal(str *rest)
{
    unsigned n = 0;
    for (size_t i = 0; i < 3 && rest->n > 0 && rest->p[0] >= '0' && rest->p[0] <= '7'; i++) {
        n = n * 8 + (unsigned)(rest->p[0] - '0');
        *rest = str_from(*rest, 1);
    }
    return (unsigned char)n;
}

/* character = "\\" ( octal / a letter of C / any other ) / any */
static unsigned char take_character(str *rest)
{
    static const char letters[] = "abfnrtv", values[] = "\a\b\f\n\r\t\v";
    char c = rest->p[0];
    *rest = str_from(*rest, 1);
    if (c != '\\' || rest->n == 0)
        return (unsigned char)c;
    c = rest->p[0];
    if (c >= '0' && c <= '7')
        return take_octal(rest);
    *rest = str_from(*rest, 1);
    const char *letter = c ? strchr(letters, c) : NULL;
    return (unsigned char)(letter ? values[letter - letters] : c);
}

static bool parse(str text, uint8_t bits[32])
{
    bool any = false;
    memset(bits, 0, 32);
    while (text.n > 0) {
        unsigned char c = take_character(&text);
        if (c != '\n')
            set_bit(bits, c);
        any = any || c != '\n';
    }
    return any;
}

void smtp_characters_init(struct smtp_characters *c, str rejected, str stripped)
{
    bool rejects = parse(rejected, c->rejected), strips = parse(stripped, c->stripped);
    c->any = rejects || strips;
}

bool smtp_characters_pass(const struct smtp_characters *c, str *text, char *out)
{
    size_t n = 0;
    for (size_t i = 0; i < text->n; i++) {
        unsigned char one = (unsigned char)text->p[i];
        if (has_bit(c->rejected, one))
            return false;
        if (!has_bit(c->stripped, one))
            out[n++] = text->p[i];
    }
    *text = str_mem(out, n);
    return true;
}
