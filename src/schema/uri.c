/* SPDX-License-Identifier: Apache-2.0 */
/* The five parts of a URI and the algorithm of RFC 3986 section 5.2.2, on views; only results are copied. */
#include "schema/uri.h"

/* Cuts text at the first of `stops`; the part before it. */
static weir_text take_until(weir_text *text, const char *stops) {
    size_t size = 0;
    while (size < text->size && !memchr(stops, text->data[size], strlen(stops)))
        size++;
    weir_text part = {text->data, size};
    *text = (weir_text){text->data + size, text->size - size};
    return part;
}

static void drop(weir_text *text, size_t size) {
    *text = (weir_text){text->data + size, text->size - size};
}

struct uri uri_split(weir_text text) {
    struct uri uri = {0};
    if (!text.data)
        text = weir_text_of("");
    weir_text rest = text;
    weir_text scheme = take_until(&rest, ":/?#");
    if (scheme.size && rest.size && rest.data[0] == ':') {
        uri.scheme = scheme;
        drop(&rest, 1);
    } else {
        rest = text;
    }
    if (rest.size >= 2 && rest.data[0] == '/' && rest.data[1] == '/') {
        drop(&rest, 2);
        uri.authority = take_until(&rest, "/?#");
    }
    uri.path = take_until(&rest, "?#");
    if (rest.size && rest.data[0] == '?') {
        drop(&rest, 1);
        uri.query = take_until(&rest, "#");
    }
    if (rest.size) {
        drop(&rest, 1);
        uri.fragment = rest;
    }
    return uri;
}

/* Removes "." and ".." segments of path in place; returns its new size. Above the root of a URI there is nothing;
 * a relative path keeps the ".." it begins with: the file it names is not the one below. */
static size_t remove_dots(char *path, size_t size, bool relative) {
    size_t out = 0, at = 0, root = size && path[0] == '/';
    while (at < size) {
        size_t end = at;
        while (end < size && path[end] != '/')
            end++;
        size_t segment = end - at;
        bool last = end == size;
        if (segment == 2 && path[at] == '.' && path[at + 1] == '.') {
            if (out > root) { /* back over the slash before, to the one before that */
                for (out--; out > root && path[out - 1] != '/';)
                    out--;
            } else if (relative) {
                memmove(path + out, path + at, segment);
                out += segment;
                if (!last)
                    path[out++] = '/';
                root = out;
            }
        } else if (!(segment == 1 && path[at] == '.')) {
            memmove(path + out, path + at, segment);
            out += segment;
            if (!last)
                path[out++] = '/';
        }
        at = end + 1;
    }
    return out;
}

/* The base's path up to its last slash, with the reference's path behind it. */
static weir_text merge(struct arena *arena, const struct uri *base, weir_text path) {
    size_t keep = base->path.size;
    while (keep > 0 && base->path.data[keep - 1] != '/')
        keep--;
    const char *root = base->authority.data && !base->path.size ? "/" : "";
    char *merged =
        arena_printf(arena, "%s%.*s%.*s", root, (int)keep, base->path.data, (int)path.size, path.data);
    return weir_text_of(merged);
}

static weir_text join(struct arena *arena, weir_text scheme, weir_text authority, weir_text path,
                      weir_text query) {
    size_t size = scheme.size + authority.size + path.size + query.size + 8, at = 0;
    char *out = arena_alloc(arena, size);
    if (scheme.data) {
        memcpy(out, scheme.data, scheme.size);
        out[scheme.size] = ':';
        at = scheme.size + 1;
    }
    if (authority.data) {
        memcpy(out + at, "//", 2);
        memcpy(out + at + 2, authority.data, authority.size);
        at += 2 + authority.size;
    }
    memcpy(out + at, path.data, path.size);
    at += path.size;
    if (query.data) {
        out[at++] = '?';
        memcpy(out + at, query.data, query.size);
        at += query.size;
    }
    return (weir_text){out, at};
}

static weir_text without_dots(struct arena *arena, weir_text path, bool relative) {
    char *copy = arena_copy(arena, path.data, path.size);
    return (weir_text){copy, remove_dots(copy, path.size, relative && path.size && path.data[0] != '/')};
}

weir_text uri_resolve(struct arena *arena, weir_text base_text, weir_text reference) {
    struct uri ref = uri_split(reference), base = uri_split(base_text);
    if (ref.scheme.data)
        return join(arena, ref.scheme, ref.authority, ref.path, ref.query);
    if (ref.authority.data)
        return join(arena, base.scheme, ref.authority, without_dots(arena, ref.path, false), ref.query);
    if (!ref.path.size)
        return join(arena, base.scheme, base.authority, base.path, ref.query.data ? ref.query : base.query);
    weir_text path = ref.path.data[0] == '/' ? ref.path : merge(arena, &base, ref.path);
    return join(arena, base.scheme, base.authority,
                without_dots(arena, path, !base.scheme.data && !base.authority.data), ref.query);
}

int uri_hex(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool uri_decode(struct arena *arena, weir_text *out, weir_text text) {
    char *decoded = arena_copy(arena, text.data ? text.data : "", text.size);
    size_t size = 0;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] != '%') {
            decoded[size++] = text.data[i];
            continue;
        }
        int high = i + 2 < text.size ? uri_hex(text.data[i + 1]) : -1;
        int low = i + 2 < text.size ? uri_hex(text.data[i + 2]) : -1;
        if (high < 0 || low < 0)
            return false;
        decoded[size++] = (char)(high * 16 + low);
        i += 2;
    }
    *out = (weir_text){decoded, size};
    return true;
}
