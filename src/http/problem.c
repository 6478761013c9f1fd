/* SPDX-License-Identifier: Apache-2.0 */
/* Errors as programs and people can read them: application/problem+json. */
#include "http/http.h"

const char *http_title(int status) {
    static const struct {
        int status;
        const char *title;
    } titles[] = {{400, "Bad Request"},           {404, "Not Found"},
                  {405, "Method Not Allowed"},    {413, "Content Too Large"},
                  {500, "Internal Server Error"}, {503, "Service Unavailable"}};
    for (size_t i = 0; i < sizeof titles / sizeof *titles; i++)
        if (titles[i].status == status)
            return titles[i].title;
    return "Error";
}

void http_problem_members(struct http_reply *reply, weir_json_writer *json, int status, const char *detail) {
    weir_json_key(json, "type");
    weir_json_string(json, "about:blank");
    weir_json_key(json, "title");
    weir_json_string(json, http_title(status));
    weir_json_key(json, "status");
    weir_json_int(json, status);
    weir_json_key(json, "detail");
    weir_json_string(json, detail);
    reply->status = status;
    reply->type = "application/problem+json";
}

void http_problem(struct http_reply *reply, int status, const char *detail) {
    weir_json_writer *json = weir_json_new();
    weir_json_begin_object(json);
    http_problem_members(reply, json, status, detail);
    weir_json_end_object(json);
    buffer_clear(reply->body);
    buffer_text(reply->body, weir_json_done(json));
    buffer_char(reply->body, '\n');
    weir_json_free(json);
}
