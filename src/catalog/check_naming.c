/* SPDX-License-Identifier: Apache-2.0 */
/* The catalog's own naming rule, `naming:`. Names fit placeholder by placeholder; and where streams and subjects
 * share a placeholder ("STREAM_{DOMAIN}", "{domain}.{subdomain}.{action}"), an event belongs into the stream of
 * its domain. One walk finds both kinds, so that an exception covers both. */
#include <stdio.h>
#include <strings.h>

#include "catalog/checking.h"
#include "event/subject.h"

static bool in_class(char c, bool upper) {
    bool letter = upper ? c >= 'A' && c <= 'Z' : c >= 'a' && c <= 'z';
    return letter || (c >= '0' && c <= '9') || c == '_' || (!upper && c == '-');
}

/* Does name fit rule? {WORD} stands for upper-case letters, digits and _, {word} for lower-case ones and -. */
static bool fits(const char *rule, const char *name) {
    if (*rule != '{')
        return *rule == *name && (*rule == 0 || fits(rule + 1, name + 1));
    const char *end = strchr(rule, '}');
    if (!end)
        return false;
    bool upper = rule[1] >= 'A' && rule[1] <= 'Z';
    for (; in_class(*name, upper); name++)
        if (fits(end + 1, name + 1))
            return true;
    return false;
}

/* Subjects fit token by token; a {parameter} fits wherever the rule has a placeholder. */
static bool subject_fits(const char *rule, const char *subject) {
    weir_text rules = weir_text_of(rule), tokens = weir_text_of(subject);
    size_t count = subject_tokens(tokens);
    if (subject_tokens(rules) != count)
        return false;
    for (size_t i = 0; i < count; i++) {
        weir_text want = subject_token(rules, i), have = subject_token(tokens, i);
        char want_text[256], have_text[256];
        if (want.size >= sizeof want_text || have.size >= sizeof have_text)
            return false;
        snprintf(want_text, sizeof want_text, "%.*s", TEXT_ARG(want));
        snprintf(have_text, sizeof have_text, "%.*s", TEXT_ARG(have));
        bool parameter = have_text[0] == '{' && want_text[0] == '{';
        if (!parameter && !fits(want_text, have_text))
            return false;
    }
    return true;
}

static bool fits_any(const char *const *rules, size_t count, const char *name,
                     bool (*fit)(const char *rule, const char *name)) {
    for (size_t i = 0; i < count; i++)
        if (fit(rules[i], name))
            return true;
    return count == 0;
}

static bool excepts(const char *exception, const char *name) {
    return strcmp(exception, name) == 0 ||
           (checking_usable(exception) && pattern_matches(weir_text_of(exception), weir_text_of(name)));
}

static bool excepted(const struct naming_def *naming, const char *name) {
    for (size_t i = 0; i < naming->except.count; i++)
        if (excepts(naming->except.items[i], name))
            return true;
    return false;
}

/* --- domains -------------------------------------------------------------------------------------------- */

/* What the only {PLACEHOLDER} of a stream rule stands for in a name that fits: {DOMAIN} of "STREAM_{DOMAIN}" is
 * AGENT_RUN in STREAM_AGENT_RUN. Absent when the rule has none or several, or the name does not fit. */
static weir_text placeholder_value(const char *rule, const char *name, weir_text *placeholder) {
    const char *open = strchr(rule, '{'), *close = open ? strchr(open, '}') : NULL;
    if (!close || strchr(close, '{') || !fits(rule, name))
        return (weir_text){NULL, 0};
    size_t before = (size_t)(open - rule), after = strlen(close + 1);
    *placeholder = (weir_text){open, (size_t)(close - open) + 1};
    return (weir_text){name + before, strlen(name) - before - after};
}

static bool same_word(weir_text a, weir_text b) {
    return a.size == b.size && strncasecmp(a.data, b.data, a.size) == 0;
}

/* The place of the placeholder among the tokens of a subject rule; the count of tokens when it has none. */
static size_t token_of(weir_text rule, weir_text placeholder) {
    size_t i = 0;
    while (subject_token(rule, i).data && !same_word(subject_token(rule, i), placeholder))
        i++;
    return i;
}

/* Is `value` the tokens from `first` on, joined by _? "AGENT_RUN" is those of agent.run.started. */
static bool tokens_are(weir_text subject, size_t first, weir_text value) {
    size_t at = 0;
    weir_text token;
    for (size_t i = first; (token = subject_token(subject, i)).data; i++) {
        bool fit =
            at + token.size <= value.size && same_word(token, (weir_text){value.data + at, token.size});
        if (!fit)
            return false;
        at += token.size;
        if (at == value.size)
            return true;
        if (value.data[at++] != '_')
            return false;
    }
    return false;
}

/* Says the naming rule that the event's stream is of another domain? Then its two domains. A plural is the same
 * domain: ORDERS holds order.placed. */
static bool domain_differs(const struct naming_def *naming, const struct event_def *event, weir_text *own,
                           weir_text *streams) {
    bool differs = false;
    for (size_t s = 0; event->stream && s < naming->stream.count; s++) {
        weir_text placeholder,
            value = placeholder_value(naming->stream.items[s], event->stream, &placeholder);
        for (size_t r = 0; value.data && r < naming->subject.count; r++) {
            size_t token = token_of(weir_text_of(naming->subject.items[r]), placeholder);
            weir_text subject = weir_text_of(event->subject);
            if (!subject_token(weir_text_of(naming->subject.items[r]), token).data ||
                !subject_token(subject, token).data)
                continue;
            weir_text singular = {value.data, value.size - (value.size > 1)};
            bool plural = value.data[value.size - 1] == 'S' || value.data[value.size - 1] == 's';
            if (tokens_are(subject, token, value) || (plural && tokens_are(subject, token, singular)))
                return false;
            differs = true;
            *own = subject_token(subject, token);
            *streams = value;
        }
    }
    return differs;
}

/* --- the rules ------------------------------------------------------------------------------------------ */

/* A stream or event that does not fit, and the walk over them. Without `rule` it is the domain that does not. */
struct misnomer {
    const char *noun, *name, *shown, *rule, *stream;
    weir_text domain, streams_domain;
    struct place place;
};
static bool next_misnomer(const struct check *check, size_t *cursor, struct misnomer *out) {
    const weir_catalog *catalog = check->catalog;
    const struct naming_def *naming = &catalog->naming;
    for (; *cursor < catalog->streams.count + catalog->events.count; ++*cursor) {
        if (*cursor < catalog->streams.count) {
            const struct stream_def *stream = catalog->streams.items[*cursor];
            bool ours = stream->role == STREAM_EVENTS || stream->role == STREAM_DEAD_LETTERS;
            if (!ours || fits_any(naming->stream.items, naming->stream.count, stream->name, fits))
                continue;
            *out = (struct misnomer){"stream", stream->name, stream->name, naming->stream.items[0],
                                     .place = stream->place};
        } else {
            const struct event_def *event = catalog->events.items[*cursor - catalog->streams.count];
            bool fit = fits_any(naming->subject.items, naming->subject.count, event->subject, subject_fits);
            *out = (struct misnomer){"subject",      event->type,
                                     event->subject, fit ? NULL : naming->subject.items[0],
                                     event->stream,  .place = event->place};
            if (fit && !domain_differs(naming, event, &out->domain, &out->streams_domain))
                continue;
        }
        ++*cursor;
        return true;
    }
    return false;
}

void check_naming_broken(struct check *check) {
    struct misnomer misnomer;
    for (size_t cursor = 0; next_misnomer(check, &cursor, &misnomer);)
        if (misnomer.rule && !excepted(&check->catalog->naming, misnomer.name))
            found(check, misnomer.place, "%s '%s' does not fit the naming rule '%s'", misnomer.noun,
                  misnomer.shown, misnomer.rule);
}

void check_domain_differs(struct check *check) {
    struct misnomer misnomer;
    for (size_t cursor = 0; next_misnomer(check, &cursor, &misnomer);)
        if (!misnomer.rule && !excepted(&check->catalog->naming, misnomer.name))
            found(check, misnomer.place, "event '%s' is of domain '%.*s', its stream '%s' of domain '%.*s'",
                  misnomer.name, TEXT_ARG(misnomer.domain), misnomer.stream,
                  TEXT_ARG(misnomer.streams_domain));
}

void check_naming_except_unused(struct check *check) {
    const struct naming_def *naming = &check->catalog->naming;
    for (size_t i = 0; i < naming->except.count; i++) {
        struct misnomer misnomer;
        bool used = false;
        for (size_t cursor = 0; !used && next_misnomer(check, &cursor, &misnomer);)
            used = excepts(naming->except.items[i], misnomer.name);
        char number[24];
        snprintf(number, sizeof number, "%zu", i);
        if (!used)
            found(check, checking_at(check, naming->place, "naming", "except", number, NULL),
                  "nothing needs the naming exception '%s'", naming->except.items[i]);
    }
}
