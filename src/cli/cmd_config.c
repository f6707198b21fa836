/* malle config: the settings that differ from the defaults, with the file and line that set them; all of them
 * with
 * --all, or those that are named. */
#include "cli/cli.h"

#include "fmt/json.h"

/* Whether the option is asked for: by name, or all, or because something sets it to another value. */
static bool is_wanted(const struct conf_difference *d, int argc, char **argv, bool all)
{
    bool named = false;
    for (int i = 1; i < argc; i++)
        named = named || strcmp(argv[i], d->name) == 0;
    return named || all || (argc == 1 && !d->is_default);
}

static void put_text(struct buf *out, const char *name, const char *value, struct conf_origin origin)
{
    buf_printf(out, "%s = %s", name, value);
    if (origin.file && origin.line)
        buf_printf(out, "  # %s:%d", origin.file, origin.line);
    else if (origin.file)
        buf_printf(out, "  # %s", origin.file);
    buf_putc(out, '\n');
}

static void put_json(struct json *j, const char *section, const struct conf_difference *d)
{
    json_open_object(j, NULL);
    if (section)
        json_put_str(j, "section", str_c(section));
    json_put_str(j, "name", str_c(d->name));
    json_put_str(j, "value", str_c(d->value));
    if (!section)
        json_put_str(j, "default", str_c(d->default_value));
    if (d->origin.file) {
        json_put_str(j, "file", str_c(d->origin.file));
        json_put_int(j, "line", d->origin.line);
    }
    json_close_object(j);
}

/* What sections set; all of it differs from what malle would do without. */
static void put_sections(const struct conf *c, bool as_json, struct json *j)
{
    const char *section = "";
    struct conf_difference d = {0};
    for (size_t i = 0; i < c->setting_count; i++) {
        const struct conf_setting *s = &c->settings[i];
        if (as_json) {
            d.name = s->name;
            d.origin = s->origin;
            snprintf(d.value, sizeof d.value, "%s", s->value);
            put_json(j, s->section, &d);
            continue;
        }
        if (strcmp(section, s->section) != 0)
            buf_printf(j->out, "[%s]\n", s->section);
        section = s->section;
        put_text(j->out, s->name, s->value, s->origin);
    }
}

static bool is_option(const struct conf *c, const char *name)
{
    struct conf_difference d;
    for (int i = 0; i < CONF_OPTION_COUNT; i++) {
        conf_describe(c, (enum conf_option)i, &d);
        if (strcmp(d.name, name) == 0)
            return true;
    }
    return false;
}

int cmd_config(int argc, char **argv, struct cli *cli)
{
    struct buf text AUTO(buf_deinit) = BUF_INIT(16 << 20);
    struct json j = {.out = &text};
    struct conf_difference d;
    bool all = argc > 1 && strcmp(argv[1], "--all") == 0;
    const struct conf *c = cli_conf(cli);
    if (!c)
        return CLI_FINDING;
    for (int i = all ? 2 : 1; i < argc; i++)
        if (!is_option(c, argv[i]))
            return cli_usage("there is no option \"%s\"", argv[i]);
    if (cli->json)
        json_open_array(&j, NULL);
    for (int i = 0; i < CONF_OPTION_COUNT; i++) {
        conf_describe(c, (enum conf_option)i, &d);
        if (!is_wanted(&d, argc, argv, all))
            continue;
        if (cli->json)
            put_json(&j, NULL, &d);
        else
            put_text(&text, d.name, d.value, d.origin);
    }
    if (argc == 1 || all)
        put_sections(c, cli->json, &j);
    if (cli->json) {
        json_close_array(&j);
        buf_putc(&text, '\n');
    }
    return cli_print(&text);
}
