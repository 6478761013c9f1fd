/* SPDX-License-Identifier: Apache-2.0 */
/* What really happened. Three witnesses are compared, none of which knows the others: the services' databases
 * (what was written, what was handled), the streams themselves read message by message, and the groups'
 * positions on the server. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/map.h"
#include "broker/scan.h"
#include "catalog/model.h"
#include "cli/demo.h"
#include "deadletter/deadletter.h"

enum { REPORT_BYTES = 1 << 20, IDS_BYTES = 1 << 30 };

/* The demo's event types, in the order of the flow, and who reads them in it. */
static const struct demo_type demo_types[DEMO_TYPES] = {
    {.type = "embassy.energy.update", .groups = {"oracle", "usage"}},
    {.type = "oracle.reading.published", .groups = {"rwa"}},
    {.type = "rwa.inventory.updated", .groups = {"wallet"}},
    {.type = "payout.generated", .groups = {"wallet"}},
    {.type = "wallet.balance.updated", .groups = {"wallet", "usage"}},
    {.type = "usage.embassy.increment", .groups = {"quota"}},
};

void demo_result_init(struct demo_result *result) {
    *result = (struct demo_result){0};
    memcpy(result->types, demo_types, sizeof demo_types);
}

void demo_result_free(struct demo_result *result) {
    json_doc_free(result->report);
    result->report = NULL;
}

static int64_t number_at(const json *tree, const char *section, const char *key) {
    int64_t value = 0;
    json_int(json_get(json_get(tree, section), key), &value);
    return value;
}

static int64_t handled_by(const struct demo_result *result, const char *group, const char *type) {
    return number_at(json_get(json_root(result->report), "handled"), group, type);
}

static bool same_decimal(const json *report, const char *a, const char *b) {
    weir_text left = json_number(json_get(report, a)), right = json_number(json_get(report, b));
    return left.data && right.data && json_number_compare(left, right) == 0;
}

weir_code demo_report(struct demo_result *result, const char *energy_union, const char *folder,
                      weir_error *err) {
    buffer text;
    buffer_init(&text, REPORT_BYTES);
    json_doc *report = NULL;
    weir_code code = demo_capture(&text, (const char *const[]){energy_union, "report", folder, NULL}, err);
    if (code == WEIR_OK)
        code = json_parse(&report, buffer_view(&text), err);
    buffer_release(&text);
    if (code != WEIR_OK)
        return code;
    json_doc_free(result->report);
    result->report = report;
    const json *root = json_root(report);
    for (int i = 0; i < DEMO_TYPES; i++) {
        struct demo_type *type = &result->types[i];
        type->written = number_at(root, "written", type->type);
        type->handled = type->written;
        for (int g = 0; type->groups[g]; g++) {
            int64_t handled = handled_by(result, type->groups[g], type->type);
            type->handled = handled < type->handled ? handled : type->handled;
        }
    }
    result->sums_agree =
        same_decimal(root, "kwh_in", "kwh_inventory") && same_decimal(root, "kwh_in", "kwh_moved") &&
        same_decimal(root, "kwt_due", "kwt_paid") && same_decimal(root, "kwt_due", "kwt_balance");
    return WEIR_OK;
}

int64_t demo_handled(const struct demo_result *result) {
    int64_t sum = 0;
    for (int i = 0; i < DEMO_TYPES; i++)
        for (int g = 0; result->types[i].groups[g]; g++)
            sum += handled_by(result, result->types[i].groups[g], result->types[i].type);
    return sum;
}

bool demo_settled(const struct demo_result *result) {
    int64_t left = 0;
    json_int(json_get(json_root(result->report), "pending"), &left);
    if (left > 0)
        return false;
    for (int i = 0; i < DEMO_TYPES; i++)
        for (int g = 0; result->types[i].groups[g]; g++)
            left += result->types[i].written -
                    handled_by(result, result->types[i].groups[g], result->types[i].type);
    return left <= result->dead_letters;
}

/* --- reading the streams -------------------------------------------------------------------------------- */

struct audit {
    struct demo_result *result;
    const weir_catalog *catalog;
    event_scratch *scratch;
    map *seen; /* event id -> struct sighting */
    uint64_t delivered_to[DEMO_TYPES]
                         [DEMO_GROUPS_MAX]; /* stream sequence up to which the group was given events */
    int64_t delivered[DEMO_TYPES][DEMO_GROUPS_MAX];
    int64_t dead[DEMO_TYPES][DEMO_GROUPS_MAX];
};

struct sighting {
    int type;  /* index into demo types */
    int count; /* times in a stream */
};

static int type_index(const char *type, size_t size) {
    for (int i = 0; i < DEMO_TYPES; i++)
        if (strlen(demo_types[i].type) == size && memcmp(demo_types[i].type, type, size) == 0)
            return i;
    return -1;
}

/* Lines of "type id". */
static void note_written(struct audit *audit, const buffer *ids) {
    for (int i = 0; i < DEMO_TYPES; i++)
        audit->result->types[i].written = 0;
    for (const char *at = ids->data, *end; at && (end = strchr(at, '\n')); at = end + 1) {
        const char *space = memchr(at, ' ', (size_t)(end - at));
        int type = space ? type_index(at, (size_t)(space - at)) : -1;
        if (type < 0)
            continue;
        struct sighting *sighting = mem_alloc(sizeof *sighting);
        sighting->type = type;
        audit->result->types[type].written++;
        mem_free(map_put(audit->seen, (weir_text){space + 1, (size_t)(end - space - 1)}, sighting));
    }
}

static bool note_stored(void *arg, const broker_msg *msg, const struct broker_meta *meta) {
    struct audit *audit = arg;
    const struct event_def *def = catalog_event_of_subject(audit->catalog, broker_msg_subject(msg));
    int type = def ? type_index(def->type, strlen(def->type)) : -1;
    if (type < 0)
        return true;
    weir_event event;
    struct demo_type *row = &audit->result->types[type];
    if (event_read(&event, audit->catalog->dialect, def, broker_msg_data(msg), false, audit->scratch, NULL) !=
        WEIR_OK) {
        row->foreign++;
        return true;
    }
    struct sighting *sighting = map_get(audit->seen, event.id);
    if (!sighting || sighting->type != type) {
        row->foreign++;
        return true;
    }
    row->in_stream++;
    if (++sighting->count > 1) {
        row->duplicates++;
        return true;
    }
    for (int g = 0; row->groups[g]; g++)
        if (meta->stream_seq <= audit->delivered_to[type][g])
            audit->delivered[type][g]++;
    return true;
}

static weir_code read_positions(struct audit *audit, weir_connection *connection, weir_error *err) {
    for (int i = 0; i < DEMO_TYPES; i++) {
        const struct event_def *def = catalog_event(audit->catalog, weir_text_of(demo_types[i].type));
        if (!def)
            return weir_fail(err, WEIR_INVALID, "catalog '%s' has no event type '%s', which the demo needs",
                             audit->catalog->name, demo_types[i].type);
        for (int g = 0; demo_types[i].groups[g]; g++) {
            buffer api;
            buffer_init(&api, 600);
            buffer_printf(&api, "CONSUMER.INFO.%s.%s", def->stream, demo_types[i].groups[g]);
            json_doc *info = NULL;
            weir_code code = broker_api(connection, api.data, (weir_text){0}, &info, err);
            buffer_release(&api);
            if (code != WEIR_OK)
                return code;
            audit->delivered_to[i][g] = (uint64_t)number_at(json_root(info), "delivered", "stream_seq");
            json_doc_free(info);
        }
    }
    return WEIR_OK;
}

static weir_code read_streams(struct audit *audit, weir_connection *connection, weir_error *err) {
    for (int i = 0; i < DEMO_TYPES; i++) {
        const char *stream = catalog_event(audit->catalog, weir_text_of(demo_types[i].type))->stream;
        bool again = false;
        for (int j = 0; j < i; j++)
            again = again || strcmp(catalog_event(audit->catalog, weir_text_of(demo_types[j].type))->stream,
                                    stream) == 0;
        if (!again)
            WEIR_TRY(broker_scan(connection, stream, NULL, note_stored, audit, err));
    }
    return WEIR_OK;
}

static bool note_dead(void *arg, const struct deadletter *letter) {
    struct audit *audit = arg;
    audit->result->dead_letters++;
    int type = type_index(letter->type, strlen(letter->type));
    for (int g = 0; type >= 0 && demo_types[type].groups[g]; g++)
        if (strcmp(demo_types[type].groups[g], letter->group) == 0)
            audit->dead[type][g]++;
    return true;
}

/* lost: written and not stored, or stored and neither handled nor given up by a group that reads it. */
static void conclude(struct audit *audit) {
    struct demo_result *result = audit->result;
    size_t cursor = 0;
    weir_text id;
    void *value;
    while (map_next(audit->seen, &cursor, &id, &value)) {
        const struct sighting *sighting = value;
        if (sighting->count == 0)
            result->types[sighting->type].lost++;
    }
    result->lost = 0;
    result->duplicates = number_at(json_root(result->report), "effects", "duplicates");
    for (int i = 0; i < DEMO_TYPES; i++) {
        struct demo_type *type = &result->types[i];
        int64_t distinct = type->in_stream - type->duplicates;
        type->delivered = distinct;
        for (int g = 0; type->groups[g]; g++) {
            int64_t settled = handled_by(result, type->groups[g], type->type) + audit->dead[i][g];
            type->lost += settled < distinct ? distinct - settled : 0;
            type->delivered =
                audit->delivered[i][g] < type->delivered ? audit->delivered[i][g] : type->delivered;
        }
        result->lost += type->lost;
        result->duplicates += type->duplicates;
    }
}

static void audit_release(struct audit *audit) {
    size_t cursor = 0;
    weir_text id;
    void *value;
    while (map_next(audit->seen, &cursor, &id, &value))
        mem_free(value);
    map_free(audit->seen);
    event_scratch_free(audit->scratch);
}

weir_code demo_audit(struct demo_result *result, const char *energy_union, const char *folder,
                     weir_connection *connection, const weir_catalog *catalog, weir_error *err) {
    WEIR_TRY(demo_report(result, energy_union, folder, err));
    for (int i = 0; i < DEMO_TYPES; i++)
        result->types[i].in_stream = result->types[i].duplicates = result->types[i].lost =
            result->types[i].foreign = 0;
    result->dead_letters = 0;
    struct audit audit = {
        .result = result, .catalog = catalog, .scratch = event_scratch_new(), .seen = map_new()};
    buffer ids;
    buffer_init(&ids, IDS_BYTES);
    weir_code code = demo_capture(&ids, (const char *const[]){energy_union, "ids", folder, NULL}, err);
    if (code == WEIR_OK) {
        note_written(&audit, &ids);
        code = read_positions(&audit, connection, err);
    }
    if (code == WEIR_OK)
        code = read_streams(&audit, connection, err);
    if (code == WEIR_OK)
        code = deadletter_each(connection, catalog, &(struct deadletter_filter){0}, note_dead, &audit, err);
    if (code == WEIR_OK)
        conclude(&audit);
    buffer_release(&ids);
    audit_release(&audit);
    return code;
}
