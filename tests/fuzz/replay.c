/* Runs one fuzz target over files (folders are walked one level): the form in which every corpus is replayed
 * by ./test. With the corpus empty it still runs the empty input. usage: replay TARGET [FILE or FOLDER]...
 * TARGETS names a file of tests/meson.build with the line TARGET(name) for each that is linked in. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

typedef int target_fn(const uint8_t *data, size_t size);

#define TARGET(name) target_fn target_##name;
#include TARGETS
#undef TARGET

#define TARGET(name) {#name, target_##name},
static const struct {
    const char *name;
    target_fn *run;
} targets[] = {
#include TARGETS
};

static target_fn *find_target(const char *name)
{
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++)
        if (strcmp(targets[i].name, name) == 0)
            return targets[i].run;
    fprintf(stderr, "replay: there is no target %s\n", name);
    exit(2);
}

static int replay_file(target_fn *run, const char *path)
{
    FILE *f = fopen(path, "rb");
    if (!f) {
        perror(path);
        return 1;
    }
    size_t cap = 16 << 20, n;
    uint8_t *data = malloc(cap);
    n = data ? fread(data, 1, cap, f) : 0;
    /* an exact allocation lets AddressSanitizer see one byte past the end */
    uint8_t *exact = malloc(n ? n : 1);
    for (size_t i = 0; exact && i < n; i++)
        exact[i] = data[i];
    if (exact)
        run(exact, n);
    free(exact);
    free(data);
    fclose(f);
    return 0;
}

static int replay_dir(target_fn *run, const char *path, int *count)
{
    int failed = 0;
    DIR *d = opendir(path);
    struct dirent *e;
    while (d && (e = readdir(d))) {
        char file[4096];
        struct stat st;
        snprintf(file, sizeof file, "%s/%s", path, e->d_name);
        if (stat(file, &st) == 0 && S_ISREG(st.st_mode)) {
            failed += replay_file(run, file);
            ++*count;
        }
    }
    if (d)
        closedir(d);
    return failed;
}

int main(int argc, char **argv)
{
    int failed = 0, count = 0;
    target_fn *run = find_target(argc > 1 ? argv[1] : "");
    run((const uint8_t *)"", 0);
    for (int i = 2; i < argc; i++) {
        struct stat st;
        if (stat(argv[i], &st) == 0 && S_ISDIR(st.st_mode)) {
            failed += replay_dir(run, argv[i], &count);
        } else {
            failed += replay_file(run, argv[i]);
            count++;
        }
    }
    printf("%d inputs replayed\n", count);
    return failed ? 1 : 0;
}
