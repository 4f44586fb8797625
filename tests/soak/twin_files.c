/* SPDX-License-Identifier: MIT */
/* A folder of its own, six names in it, and all that can be done to them, in any order. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include <celadon/file.h>
#include <celadon/net.h>

#include "twin.h"

struct folder {
    struct subject *s;
    char *path;
    char name[2][300]; /* drawn for this step */
};

static void draw_name(struct folder *f, int i)
{
    static const char *const names[] = {"a", "b", "c", "d", "d/a", "d/b"};
    const char *name = names[draw(f->s, 6)];

    snprintf(f->name[i], sizeof f->name[i], "%s/%s", f->path, name);
}

/* The name without the folder, which is another in each run. */
static const char *short_name(const struct folder *f, int i)
{
    return f->name[i] + strlen(f->path) + 1;
}

static void save(struct folder *f)
{
    size_t len = draw_size(f->s, 100000);
    uint64_t from = draw(f->s, 1000);

    does(f->s, "save %s %zu of %d", short_name(f, 0), len, (int)from);
    got(f->s, "%s", told(cel_file_save(f->name[0], bytes_from(from), len, 0644)));
}

static void load(struct folder *f)
{
    size_t most = draw(f->s, 3) == 0 ? draw_size(f->s, 50000) : 1 << 20, len = 0;
    char *bytes = NULL;
    int r;

    does(f->s, "load %s at most %zu", short_name(f, 0), most);
    r = cel_file_load(f->name[0], most, &bytes, &len);
    got(f->s, "%s", told(r));
    if (r == 0)
        got(f->s, "%zu %llx", len, (unsigned long long)hash_of(bytes, len));
    cel_free(bytes);
}

static int draw_flags(struct subject *s)
{
    static const int ways[] = {O_RDONLY, O_WRONLY, O_RDWR};
    int flags = ways[draw(s, 3)];

    flags |= draw(s, 2) ? O_CREAT : 0;
    flags |= draw(s, 4) == 0 ? O_EXCL | O_CREAT : 0;
    flags |= draw(s, 4) == 0 && flags & (O_WRONLY | O_RDWR) ? O_TRUNC : 0;
    flags |= draw(s, 6) == 0 ? O_DIRECTORY : 0;
    return flags & O_CREAT ? flags & ~O_DIRECTORY : flags; /* both: no two kernels agree */
}

static void use_open(struct folder *f, struct cel_file *file)
{
    int64_t at = (int64_t)draw_size(f->s, 100000);
    size_t len = draw_size(f->s, 50000);
    char *buf = malloc(50000);
    struct stat st;
    ssize_t n = 0;

    switch (draw(f->s, 5)) {
    case 0:
        does(f->s, "write %zu at %d", len, (int)at);
        got(f->s, "%s", told(cel_file_write(file, bytes_from((uint64_t)at), len, at)));
        break;
    case 1:
        does(f->s, "read %zu at %d", len, (int)at);
        for (size_t done = 0; done < len; done += (size_t)n) {
            n = cel_file_read(file, buf, len - done, at + (int64_t)done); /* parks */
            if (n <= 0)
                break;
            got(f->s, "%zd %llx", n, (unsigned long long)hash_of(buf, (size_t)n));
        }
        got(f->s, "%s", told(n));
        break;
    case 2:
        does(f->s, "truncate to %d", (int)at);
        got(f->s, "%s", told(cel_file_truncate(file, at)));
        break;
    case 3:
        does(f->s, "sync");
        got(f->s, "%s", told(draw(f->s, 2) ? cel_file_sync(file) : cel_file_sync_data(file)));
        break;
    default:
        does(f->s, "stat");
        got(f->s, "%s", told(cel_file_stat(file, &st)));
        if (S_ISREG(st.st_mode))
            got(f->s, "%lld", (long long)st.st_size);
    }
    free(buf);
}

static void open_and_use(struct folder *f)
{
    int flags = draw_flags(f->s);
    struct cel_file *file;
    int r;

    does(f->s, "open %s %#x", short_name(f, 0), (unsigned)flags);
    r = cel_file_open(&file, f->name[0], flags, 0600); /* parks */
    got(f->s, "%s", told(r));
    if (r < 0)
        return;
    for (uint64_t i = draw(f->s, 5); i > 0; i--)
        use_open(f, file);
    cel_file_close(file);
}

static void stat_it(struct folder *f)
{
    bool follows = draw(f->s, 2);
    struct stat st;
    int r;

    does(f->s, "%s %s", follows ? "stat" : "lstat", short_name(f, 0));
    r = follows ? cel_path_stat(f->name[0], &st) : cel_path_lstat(f->name[0], &st);
    got(f->s, "%s", told(r));
    if (r == 0)
        got(f->s, "%o", (unsigned)st.st_mode);
    if (r == 0 && S_ISREG(st.st_mode))
        got(f->s, "%lld bytes, %d names", (long long)st.st_size, (int)st.st_nlink);
}

/* What takes one name, or two. */
static void by_path(struct folder *f)
{
    static const char *const words[] = {"rename", "rename_new", "unlink",     "mkdir",
                                        "mkdirs", "rmdir",      "remove_all", "symlink",
                                        "link",   "chmod",      "copy"};
    const char *a = f->name[0], *b = f->name[1];
    unsigned which = (unsigned)draw(f->s, 11);
    mode_t mode = (mode_t)(0600 | draw(f->s, 0200));
    int r = 0;

    does(f->s, "%s %s %s %o", words[which], short_name(f, 0), short_name(f, 1), (unsigned)mode);
    switch (which) {
    case 0:
        r = cel_path_rename(a, b);
        break;
    case 1:
        r = cel_path_rename_new(a, b);
        break;
    case 2:
        r = cel_path_unlink(a);
        break;
    case 3:
        r = cel_path_mkdir(a, 0700);
        break;
    case 4:
        r = cel_path_mkdirs(a, 0700);
        break;
    case 5:
        r = cel_path_rmdir(a);
        break;
    case 6:
        r = cel_path_remove_all(a);
        break;
    case 7:
        r = cel_path_symlink(short_name(f, 1), a);
        break;
    case 8:
        r = cel_path_link(a, b);
        break;
    case 9:
        r = cel_path_chmod(a, mode);
        break;
    default:
        r = cel_path_copy(a, b);
        break;
    }
    got(f->s, "%s", told(r));
}

static void read_link(struct folder *f)
{
    char *target = NULL;

    does(f->s, "readlink %s", short_name(f, 0));
    got(f->s, "%s", told(cel_path_readlink(f->name[0], &target)));
    got(f->s, "%s", target != NULL ? target : "");
    cel_free(target);
}

static void list(struct folder *f)
{
    bool is_whole = draw(f->s, 2);
    char **names = NULL;
    ssize_t n;

    does(f->s, "list %s", is_whole ? "all" : short_name(f, 0));
    n = cel_dir_names(is_whole ? f->path : f->name[0], 100, &names);
    got(f->s, "%s", told(n));
    for (ssize_t i = 0; i < n; i++)
        got(f->s, "%s", names[i]);
    cel_free(names);
}

/* As a stream, to the end, in lines. */
static void stream(struct folder *f)
{
    char text[600];
    struct cel_file *file;
    struct cel_stream *lines;
    ssize_t n = 0;

    does(f->s, "lines of %s", short_name(f, 0));
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = draw(f->s, 20) == 0 ? '\n' : 'l';
    got(f->s, "%s", told(cel_file_save(f->name[0], text, sizeof text, 0600)));
    if (cel_file_open(&file, f->name[0], O_RDONLY, 0) < 0)
        return;
    if (cel_file_stream(&lines, file, 0) < 0) {
        cel_file_close(file);
        return;
    }
    while (n >= 0) {
        n = cel_read_line(lines, text, sizeof text); /* parks */
        got(f->s, "%s", told(n));
    }
    cel_close(lines);
}

/* Before it begins: then nothing has happened. */
static void call_off(struct folder *f)
{
    does(f->s, "called off: save %s", short_name(f, 0));
    CEL_SCOPE (none) {
        cel_scope_cancel(&none);
        got(f->s, "%s", told(cel_file_save(f->name[0], "no", 2, 0600)));
        got(f->s, "%s", told(cel_path_unlink(f->name[0])));
    }
}

void keep_files(struct subject *s)
{
    static void (*const steps[])(struct folder *) = {
        save,         save,    load,      open_and_use, by_path, by_path, by_path,
        open_and_use, stat_it, read_link, list,         stream,  call_off};
    struct folder f = {.s = s};
    unsigned count = 6 + (unsigned)draw(s, 25);

    does(s, "%u steps", count);
    got(s, "%s", told(cel_path_temp_dir(&f.path, NULL)));
    if (f.path == NULL)
        return;
    for (unsigned i = 0; i < count; i++) {
        draw_name(&f, 0);
        draw_name(&f, 1);
        steps[draw(s, sizeof steps / sizeof *steps)](&f); /* parks */
    }
    got(s, "%s", told(cel_path_remove_all(f.path)));
    cel_free(f.path);
}
