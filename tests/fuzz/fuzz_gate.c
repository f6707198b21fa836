/* The gate's lists, its records, and what strangers say as the log shows it. */
#include "fmt/gate_record.h"
#include "fmt/gate_sites.h"
#include "fmt/gate_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Printable ASCII, and at most four characters a byte. */
static void try_text(str bytes)
{
    struct buf out = BUF_INIT(4 * bytes.n + 1);
    gate_text_put(&out, bytes);
    must(!out.overflow && out.n >= bytes.n);
    for (size_t i = 0; i < out.n; i++)
        must(out.p[i] >= ' ' && out.p[i] <= 0x7e);
    buf_deinit(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint64_t key[2] = {0, 0};
    static const uint8_t listed[4] = {127, 0, 0, 2};
    const str answer = str_mem(listed, 4);
    str text = str_mem(data, size), word = STR_NONE;
    struct gate_score score = {0};
    struct gate_site site;
    long total = 0;
    enum rc rc;
    try_text(text);
    for (int i = 0; i < GATE_SITES_MAX && (rc = gate_site_take(&text, &site, &word)) != RC_GONE; i++) {
        must(word.n > 0);
        if (rc != RC_OK)
            continue;
        must(site.weight >= -GATE_WEIGHT_MAX && site.weight <= GATE_WEIGHT_MAX);
        must(str_starts(word, site.list.domain));
        if (gate_score_add(&score, &site, &answer, 1))
            total += site.weight;
        must(score.total == total);
        score.heaviest = NULL; /* site is another one the next time */
    }
    struct gate_record r;
    char in[GATE_RECORD_SIZE] = {0}, out[GATE_RECORD_SIZE];
    memcpy(in, data, size < sizeof in ? size : sizeof in);
    memcpy(r.address, in, sizeof r.address);
    memcpy(r.until, in + 16, sizeof r.until);
    gate_record_format(&r, key, out);
    struct gate_record back;
    must(gate_record_parse(out, key, &back) == RC_OK && memcmp(&r, &back, sizeof r) == 0);
    if (gate_record_parse(in, key, &back) == RC_OK) {
        gate_record_format(&back, key, out);
        must(memcmp(in, out, 36) == 0);
    }
    return 0;
}
