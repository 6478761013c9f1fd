/* SPDX-License-Identifier: Apache-2.0 */
/* Formats of the net: mail addresses, host names, IP addresses, URIs. ASCII only, as their RFCs have them;
 * the international forms (idn-email, iri) are formats of their own, which we do not check. */
#include "schema/formats.h"

#include "base/text.h"
#include "schema/uri.h"

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
static bool is_alnum(char c) {
    char low = (char)(c | 0x20);
    return is_digit(c) || (low >= 'a' && low <= 'z');
}
static bool is_one_of(char c, const char *set) {
    return c && strchr(set, c);
}
static weir_text slice(weir_text text, size_t from, size_t to) {
    return (weir_text){text.data + from, to - from};
}

/* --- IP addresses --------------------------------------------------------------------------------------- */

bool format_ipv4(weir_text text) {
    size_t at = 0;
    for (int part = 0; part < 4; part++) {
        int value = 0, digits = 0;
        size_t start = at;
        for (; at < text.size && is_digit(text.data[at]) && digits < 4; at++, digits++)
            value = value * 10 + (text.data[at] - '0');
        if (!digits || value > 255 || (digits > 1 && text.data[start] == '0'))
            return false;
        if (part < 3 && (at == text.size || text.data[at++] != '.'))
            return false;
    }
    return at == text.size;
}

/* Eight groups; "::" stands for at least one; the last two may be an IPv4 address. */
bool format_ipv6(weir_text text) {
    int groups = 0;
    bool gap = false;
    size_t at = 0;
    if (text.size >= 2 && text.data[0] == ':' && text.data[1] == ':') {
        gap = true;
        at = 2;
        if (at == text.size)
            return true;
    }
    for (;;) {
        size_t start = at;
        while (at < text.size && uri_hex(text.data[at]) >= 0)
            at++;
        if (at < text.size && text.data[at] == '.') {
            groups += 2;
            return format_ipv4(slice(text, start, text.size)) && (gap ? groups < 8 : groups == 8);
        }
        if (at == start || at - start > 4 || ++groups > 8)
            return false;
        if (at == text.size)
            return gap ? groups < 8 : groups == 8;
        if (text.data[at++] != ':')
            return false;
        if (at < text.size && text.data[at] == ':') {
            if (gap)
                return false;
            gap = true;
            if (++at == text.size)
                return groups < 8;
        }
    }
}

/* --- names ---------------------------------------------------------------------------------------------- */

/* RFC 1123. "--" in the third and fourth place is kept for encodings, of which xn-- is the only one (RFC 5891). */
static bool is_label(weir_text label) {
    if (!label.size || label.size > 63 || label.data[0] == '-' || label.data[label.size - 1] == '-')
        return false;
    for (size_t i = 0; i < label.size; i++)
        if (!is_alnum(label.data[i]) && label.data[i] != '-')
            return false;
    if (label.size < 4 || label.data[2] != '-' || label.data[3] != '-')
        return true;
    return (label.data[0] | 0x20) == 'x' && (label.data[1] | 0x20) == 'n' && format_a_label(label);
}

bool format_hostname(weir_text text) {
    if (text.size > 253)
        return false;
    for (size_t start = 0, at = 0;; at++) {
        if (at < text.size && text.data[at] != '.')
            continue;
        if (!is_label(slice(text, start, at)))
            return false;
        if (at == text.size)
            return true;
        start = at + 1;
    }
}

/* "..." of RFC 5321: printable ASCII, with \ before quotes and backslashes. */
static bool is_quoted_local(weir_text local) {
    for (size_t i = 1; i + 1 < local.size; i++) {
        if (local.data[i] == '\\' && ++i + 1 >= local.size)
            return false;
        if (local.data[i] < ' ' || local.data[i] > '~' || (local.data[i] == '"' && local.data[i - 1] != '\\'))
            return false;
    }
    return true;
}

static bool is_local(weir_text local) {
    if (!local.size || local.size > 64)
        return false;
    if (local.size >= 2 && local.data[0] == '"' && local.data[local.size - 1] == '"')
        return is_quoted_local(local);
    for (size_t i = 0; i < local.size; i++) {
        char c = local.data[i];
        bool dot_inside = c == '.' && i && i + 1 < local.size && local.data[i - 1] != '.';
        if (!dot_inside && !is_alnum(c) && !is_one_of(c, "!#$%&'*+-/=?^_`{|}~"))
            return false;
    }
    return true;
}

bool format_email(weir_text text) {
    size_t at = text.size;
    while (at > 0 && text.data[at - 1] != '@')
        at--;
    if (!at || !is_local(slice(text, 0, at - 1)))
        return false;
    weir_text domain = slice(text, at, text.size);
    if (domain.size < 2 || domain.data[0] != '[' || domain.data[domain.size - 1] != ']')
        return format_hostname(domain);
    domain = slice(domain, 1, domain.size - 1);
    return text_starts(domain, "IPv6:") ? format_ipv6(slice(domain, 5, domain.size)) : format_ipv4(domain);
}

/* --- URIs ----------------------------------------------------------------------------------------------- */

/* Unreserved, percent-encoded, sub-delims and what `more` adds. */
static bool is_made_of(weir_text text, const char *more) {
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        if (is_alnum(c) || is_one_of(c, "-._~!$&'()*+,;=") || is_one_of(c, more))
            continue;
        if (c != '%' || i + 2 >= text.size || uri_hex(text.data[i + 1]) < 0 || uri_hex(text.data[i + 2]) < 0)
            return false;
        i += 2;
    }
    return true;
}

/* [v1.x] */
static bool is_future_address(weir_text text) {
    size_t at = 1;
    while (at < text.size && uri_hex(text.data[at]) >= 0)
        at++;
    return text.size > 1 && (text.data[0] | 0x20) == 'v' && at > 1 && at + 1 < text.size &&
           text.data[at] == '.' && !memchr(text.data, '%', text.size) &&
           is_made_of(slice(text, at + 1, text.size), ":");
}

static bool is_authority(weir_text text) {
    size_t at = 0;
    while (at < text.size && text.data[at] != '@')
        at++;
    if (at < text.size) {
        if (!is_made_of(slice(text, 0, at), ":"))
            return false;
        text = slice(text, at + 1, text.size);
    }
    size_t end = text.size;
    while (end > 0 && is_digit(text.data[end - 1]))
        end--;
    if (end > 0 && text.data[end - 1] == ':')
        text = slice(text, 0, end - 1); /* the port */
    if (text.size < 2 || text.data[0] != '[')
        return is_made_of(text, "");
    if (text.data[text.size - 1] != ']')
        return false;
    text = slice(text, 1, text.size - 1);
    return format_ipv6(text) || is_future_address(text);
}

static bool is_scheme(weir_text scheme) {
    for (size_t i = 0; i < scheme.size; i++)
        if (!is_alnum(scheme.data[i]) && (!i || !is_one_of(scheme.data[i], "+-.")))
            return false;
    return !is_digit(scheme.data[0]);
}

bool format_uri_reference(weir_text text) {
    struct uri uri = uri_split(text);
    return (!uri.scheme.data || is_scheme(uri.scheme)) &&
           (!uri.authority.data || is_authority(uri.authority)) && is_made_of(uri.path, ":@/") &&
           (!uri.query.data || is_made_of(uri.query, ":@/?")) &&
           (!uri.fragment.data || is_made_of(uri.fragment, ":@/?")) &&
           (uri.scheme.data || !uri.path.size || uri.path.data[0] != ':');
}

bool format_uri(weir_text text) {
    return uri_split(text).scheme.data && format_uri_reference(text);
}
