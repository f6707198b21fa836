/* malle check: every error of the settings and of the certificates and tables they name at once, with file,
 * line and the name that was probably meant. */
#include "cli/check_databases.h"
#include "cli/cli.h"

#include "fmt/json.h"
#include "role/key_files.h"
#include "role/keys.h"
#include "table/settings.h"

static int print_json(const struct conf_report *report)
{
    struct buf text AUTO(buf_deinit) = BUF_INIT(1 << 20);
    struct json j = {.out = &text};
    json_open_array(&j, NULL);
    for (size_t i = 0; i < report->n; i++) {
        const struct conf_issue *issue = &report->v[i];
        json_open_object(&j, NULL);
        json_put_str(&j, "file", str_c(issue->file));
        json_put_int(&j, "line", issue->line);
        json_put_bool(&j, "warning", issue->warning);
        json_put_str(&j, "text", str_c(issue->text));
        json_close_object(&j);
    }
    json_close_array(&j);
    buf_putc(&text, '\n');
    return cli_print(&text);
}

void cli_check(struct cli *cli, struct conf_report *report)
{
    struct buf keys = BUF_INIT(KEYS_BYTES_MAX), shown = BUF_INIT(KEYS_BYTES_MAX);
    conf_free(cli->conf);
    cli->conf = conf_load(cli->conf_path, cli->sets, cli->set_count, report);
    /* certificates are settings, too, for those who mistype their names or let them expire */
    if (cli->conf && key_files_read(cli->conf, report, &keys) != RC_OK)
        must(report->errors > 0);
    if (cli->conf && key_files_read_client(cli->conf, report, &shown) != RC_OK)
        must(report->errors > 0);
    if (cli->conf)
        table_settings_close(table_settings_open(cli->conf, NULL, NULL, report));
    if (cli->conf)
        cli_check_databases(cli->conf, report);
    buf_wipe(&keys);
    buf_wipe(&shown);
}

static void print_report(const struct conf_report *report)
{
    struct buf text AUTO(buf_deinit) = BUF_INIT(1 << 20);
    conf_report_format(report, &text);
    fputs(buf_cstr(&text), stderr);
}

bool cli_check_print(struct cli *cli)
{
    struct conf_report report = {0};
    cli_check(cli, &report);
    print_report(&report);
    bool usable = report.errors == 0;
    conf_report_deinit(&report);
    return usable;
}

int cmd_check(int argc, char **argv, struct cli *cli)
{
    struct conf_report report = {0};
    if (argc > 1)
        return cli_usage("check takes no argument, found \"%s\"", argv[1]);
    cli_check(cli, &report);
    int status = report.errors ? CLI_FINDING : CLI_FINE;
    if (cli->json) {
        if (print_json(&report) != CLI_FINE)
            status = CLI_FINDING;
    } else {
        print_report(&report);
    }
    conf_report_deinit(&report);
    return status;
}
