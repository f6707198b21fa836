/* Reading a password without showing it. */
#include "cli/accounts.h"

#include "fmt/sasl.h"

#include <termios.h>
#include <unistd.h>

/* One line from standard input without its line end; false at the end of input or when it is too long. */
static bool read_line(struct buf *ret)
{
    char c;
    buf_reset(ret);
    for (;;) {
        ssize_t n = read(STDIN_FILENO, &c, 1);
        if (n <= 0)
            return n == 0 && ret->n > 0;
        if (c == '\n')
            return !ret->overflow;
        if (c != '\r')
            buf_putc(ret, c);
    }
}

static bool ask(const char *prompt, struct buf *ret)
{
    struct termios shown, hidden;
    if (tcgetattr(STDIN_FILENO, &shown) != 0)
        return false;
    hidden = shown;
    hidden.c_lflag &= ~(tcflag_t)ECHO;
    fputs(prompt, stderr);
    if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden) != 0)
        return false;
    bool read = read_line(ret);
    (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
    fputc('\n', stderr);
    return read;
}

static enum rc no_password(void)
{
    cli_fail("there is no password; give it on standard input or with --password");
    return RC_INVALID;
}

enum rc cli_read_password(const char *given, const char *prompt, struct buf *ret)
{
    if (given)
        buf_puts(ret, str_c(given));
    else if (!(isatty(STDIN_FILENO) ? ask(prompt, ret) : read_line(ret)))
        return no_password();
    return RC_OK;
}

enum rc cli_read_new_password(const char *given, struct buf *ret)
{
    AUTO(buf_wipe) struct buf again = BUF_INIT(SASL_PASSWORD_MAX);
    if (given || !isatty(STDIN_FILENO))
        return cli_read_password(given, "", ret);
    if (!ask("New password: ", ret) || !ask("The same again: ", &again))
        return no_password();
    if (str_eq_const_time(buf_str(ret), buf_str(&again)))
        return RC_OK;
    cli_fail("the two passwords differ; try again");
    return RC_INVALID;
}
