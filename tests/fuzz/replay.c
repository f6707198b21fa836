/* Runs a fuzz target over the files named on the command line (folders are walked one level): the form in
 * which every corpus is replayed by ./test. With the target's corpus empty it still runs the empty input. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_file(const char *path)
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
        LLVMFuzzerTestOneInput(exact, n);
    free(exact);
    free(data);
    fclose(f);
    return 0;
}

static int replay_dir(const char *path, int *count)
{
    int failed = 0;
    DIR *d = opendir(path);
    struct dirent *e;
    while (d && (e = readdir(d))) {
        char file[4096];
        struct stat st;
        snprintf(file, sizeof file, "%s/%s", path, e->d_name);
        if (stat(file, &st) == 0 && S_ISREG(st.st_mode)) {
            failed += replay_file(file);
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
    LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
    for (int i = 1; i < argc; i++) {
        struct stat st;
        if (stat(argv[i], &st) == 0 && S_ISDIR(st.st_mode)) {
            failed += replay_dir(argv[i], &count);
        } else {
            failed += replay_file(argv[i]);
            count++;
        }
    }
    printf("%d inputs replayed\n", count);
    return failed ? 1 : 0;
}
