/* SPDX-License-Identifier: Apache-2.0 */
/* Objects: first the names, then member after member. One that need not be there is left out when nothing fits. */
#include "sample/names.h"

/* What stands in the wish about this very member. */
static void add_placed(struct maker *maker, const struct names *names, claims *out, weir_text name) {
    const struct wish *wish = names->wish;
    for (size_t i = 0; i < wish->members.count; i++)
        if (text_equal(wish->members.items[i].name, name))
            list_push(maker->arena, out, wish->members.items[i].claim);
    for (size_t i = 0; text_equal(name, names->stray) && i < wish->stray.count; i++)
        list_push(maker->arena, out, wish->stray.items[i]);
}

static bool make_member(struct maker *maker, buffer *out, const struct names *names, weir_text name) {
    claims on_it = {0};
    weir_text hint = maker->hint;
    const json *example = maker->example;
    claims_on_member(maker, names->wish, &on_it, name);
    add_placed(maker, names, &on_it, name);
    claims_settle(&on_it);
    if (out->data[out->size - 1] != '{')
        buffer_char(out, ',');
    json_write_string(out, name);
    buffer_char(out, ':');
    maker->hint = name;
    maker->example = json_get_text(example, name);
    bool ok = make_value(maker, out, &on_it);
    maker->hint = hint;
    maker->example = example;
    return ok;
}

bool make_object(struct maker *maker, buffer *out, const struct wish *wish) {
    struct names names;
    size_t begin = out->size, made = 0;
    bool ok = names_choose(maker, &names, wish);
    buffer_char(out, '{');
    for (size_t i = 0; ok && i < names.all.count && !out->overflow; i++) {
        size_t from = out->size;
        if (make_member(maker, out, &names, names.all.items[i])) {
            made++;
        } else {
            buffer_cut(out, from);
            ok = !names_need(&names, names.all.items[i]);
        }
    }
    buffer_char(out, '}');
    if (ok && made >= wish->members_min && !out->overflow)
        return true;
    buffer_cut(out, begin);
    return false;
}
