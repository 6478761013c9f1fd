/* SPDX-License-Identifier: Apache-2.0 */
/* rooms: catalog json base */
/* weir compat between states of a git repository: what is found, how it is said, and what cannot be read. */
#include "compat_fixture.h"

static void a_revision_is_compared_with_a_folder(void **state) {
    (void)state;
    git_begin();
    commit_catalog(shop, 3);
    EXPECT(WEIR("compat", "HEAD:catalogs/shop", "catalogs/shop", "-q"), 0, NULL, "");
    write_catalog("catalogs/shop", with_id("{type: [string, integer]}"));
    struct kit_run run = WEIR("compat", "main:catalogs/shop", "catalogs/shop");
    assert_int_equal(run.status, 1);
    expect_part(run.out, "incompatible: 1 break (1 event type, FULL_TRANSITIVE required)\n"
                         "  old  main:catalogs/shop, commit ");
    expect_part(
        run.out,
        "\norder.placed: BACKWARD_TRANSITIVE\n"
        "  break      old readers cannot read new events (version 1): version 1 was changed in place\n"
        "             affects group billing (desk), service shop\n"
        "           - /id: the writer may write an integer, the reader reads only a string (type)\n"
        "             witness {\"id\":");
    expect_part(run.out, "}\n"
                         "             refused /id: must be a string, is a number (type)\n"
                         "             catalogs/shop/catalog.yaml:14:13\n");
    kit_run_free(&run);
}

static void the_word_decides_what_fails(void **state) {
    (void)state;
    static const struct {
        const char *word;
        int status;
    } rows[] = {{"full_transitive", 1},     {"full", 1},     {"forward", 1},
                {"backward_transitive", 0}, {"backward", 0}, {"none", 0}};
    git_begin();
    commit_catalog(shop, 3);
    write_catalog("catalogs/shop", with_id("{type: [string, integer]}"));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        EXPECT(WEIR("compat", "HEAD:catalogs/shop", "catalogs/shop", "--require", rows[i].word),
               rows[i].status, NULL, "");
}

/* A number until 40 or 20 days ago, then anything, now text only; the stream keeps 30 days. */
static void expect_after(int replaced_days, int status) {
    git_begin();
    commit_catalog(with_id("{type: integer}"), 100);
    commit_catalog(with_id("{type: [string, integer]}"), replaced_days);
    commit_catalog(with_id("{type: string, minLength: 0}"), 0);
    commit_catalog(shop, 0);
    EXPECT(WEIR("compat", "HEAD~1:catalogs/shop", "HEAD:catalogs/shop", "--require", "backward"), 0, NULL,
           "");
    struct kit_run run =
        WEIR("compat", "HEAD~2:catalogs/shop", "catalogs/shop", "--require", "backward_transitive", "--json");
    json_doc *doc = json_of(&run);
    assert_int_equal(run.status, 1); /* the old one itself wrote numbers */
    assert_int_equal(int_at(doc, "/findings/0/other_versions"), status);
    json_doc_free(doc);
    kit_run_free(&run);
}

static void history_counts_within_retention(void **state) {
    (void)state;
    expect_after(40, 0);
    expect_after(20, 1);
}

/* Three commits; the folder is the fourth state. What stood between is compared, too. */
static void commits_between_count(void **state) {
    (void)state;
    git_begin();
    commit_catalog(shop, 9);
    commit_catalog(with_id("{type: boolean}"), 6);
    commit_catalog(shop, 3);
    struct kit_run run = WEIR("compat", "HEAD~2:catalogs/shop", "HEAD:catalogs/shop", "--json");
    json_doc *doc = json_of(&run);
    assert_int_equal(run.status, 1);
    assert_string_equal(text_at(doc, "/types/0/compatibility"), "FULL");
    assert_int_equal(int_at(doc, "/history"), 1);
    assert_int_equal(int_at(doc, "/types/0/versions"), 2);
    assert_int_equal(int_at(doc, "/breaks"), 2);
    assert_string_equal(text_at(doc, "/findings/0/direction"), "backward");
    json_doc_free(doc);
    kit_run_free(&run);
    EXPECT(WEIR("compat", "HEAD~2:catalogs/shop", "HEAD:catalogs/shop", "--require", "full"), 0, NULL, "");
}

/* --- where catalogs stand ------------------------------------------------------------------------------- */

static void paths_count_from_the_top_or_from_here(void **state) {
    (void)state;
    git_begin();
    commit_catalog(shop, 3);
    write_catalog(".", shop);
    GIT("rm", "-rq", "--cached", "catalogs");
    git_commit(2);
    EXPECT(WEIR("compat", "HEAD~1:catalogs/shop", "HEAD:.", "-q"), 0, NULL, "");
    EXPECT(WEIR("compat", "HEAD:", "catalogs/shop", "-q"), 0, NULL, "");
    assert_int_equal(chdir("catalogs"), 0);
    EXPECT(WEIR("compat", "HEAD~1:./shop", "shop", "-q"), 0, NULL, "");
    EXPECT(WEIR("compat", "HEAD~1:catalogs/shop/catalog.yaml", "HEAD:../catalog.yaml", "-q"), 0, NULL, "");
    assert_int_equal(chdir("shop"), 0);
    EXPECT(WEIR("compat", "HEAD~1:catalogs/shop", "-q"), 0, NULL, ""); /* and the catalog that is here */
}

static void shared_files_above_a_catalog_come_along(void **state) {
    (void)state;
    git_begin();
    kit_file("catalogs", "shared/id.yaml", "type: string\n");
    const char *refers =
        kit_replace(with_id("{$ref: ../shared/id.yaml}"), "catalog: shop\n", "catalog: shop\ntree: ..\n");
    commit_catalog(refers, 9);
    kit_file("catalogs", "shared/id.yaml", "type: integer\n");
    git_commit(6);
    kit_file("catalogs", "shared/id.yaml", "type: string\n");
    git_commit(3);
    struct kit_run run = WEIR("compat", "HEAD~1:catalogs/shop", "HEAD:catalogs/shop", "--json");
    json_doc *doc = json_of(&run);
    assert_int_equal(run.status, 1);
    assert_string_equal(text_at(doc, "/types/0/compatibility"), "NONE");
    assert_int_equal(int_at(doc, "/types/0/versions"), 2);
    json_doc_free(doc);
    kit_run_free(&run);
}

static void a_bundle_may_be_committed(void **state) {
    (void)state;
    git_begin();
    write_catalog("catalogs/shop", shop);
    EXPECT(WEIR("check", "catalogs/shop", "-o", "shop.json", "-q"), 0, NULL, NULL);
    git_commit(3);
    EXPECT(WEIR("compat", "HEAD:shop.json", "catalogs/shop", "-q"), 0, NULL, "");
    kit_file(".", "shop.json", "{}\n");
    git_commit(2);
    struct kit_run run = WEIR("compat", "HEAD:shop.json", "catalogs/shop");
    assert_int_equal(run.status, 2);
    assert_null(strstr(run.err, "/tmp/"));
    kit_run_free(&run);
}

/* --- what cannot be read -------------------------------------------------------------------------------- */

static void what_cannot_be_read_is_said(void **state) {
    (void)state;
    static const struct {
        const char *old, *err;
    } rows[] = {
        {"nothere", "weir compat: there is no folder nothere\n"},
        {"HEAD:nothere", "weir compat: revision 'HEAD' has no folder 'nothere'\n"
                         "  write the path from the top of the repository, or ./ and from this folder\n"},
        {"HEAD~7:catalogs/shop",
         "weir compat: this repository has no revision 'HEAD~7'\n"
         "  look with git log; a shallow clone lacks history: git fetch --unshallow\n"},
        {"HEAD:catalogs", "weir compat: HEAD:catalogs holds no catalog.yaml\n"
                          "  name the catalog's folder in that revision\n"},
        {"HEAD:../x", "weir compat: 'HEAD:../x' leads out of the repository\n"
                      "  write the path from the top of the repository, or ./ and from this folder\n"},
        {"HEAD:/etc", "weir compat: 'HEAD:/etc' leads out of the repository\n"
                      "  write the path from the top of the repository, or ./ and from this folder\n"},
        {"--output=x:y", "weir compat: unknown option --output; see weir help compat\n"},
    };
    git_begin();
    commit_catalog(shop, 3);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        EXPECT(WEIR("compat", rows[i].old, "catalogs/shop"), 2, "", rows[i].err);
    EXPECT(WEIR("compat"), 2, "",
           "weir compat: name the old catalog: weir compat OLD [NEW]; see weir help compat\n");
    EXPECT(WEIR("compat", "HEAD:catalogs/shop", "catalogs/shop", "--since", "1d"), 2, "",
           "weir compat: --since and --limit are for --against-stream; see weir help compat\n");
    assert_int_equal(chdir(kit_folder()), 0);
    EXPECT(WEIR("compat", "HEAD:catalogs/shop", "x"), 2, "",
           "weir compat: 'HEAD:catalogs/shop' is a git revision, and this folder is in no git repository\n"
           "  run it inside the repository, or name a folder or a bundle\n");
    setenv("WEIR_PATH_KEPT", getenv("PATH"), 1);
    setenv("PATH", kit_folder(), 1);
    struct kit_run run = WEIR("compat", "HEAD:catalogs/shop", "x");
    setenv("PATH", getenv("WEIR_PATH_KEPT"), 1);
    assert_int_equal(run.status, 2);
    expect_part(run.err, "weir compat: a git revision is read with the git program: ");
    expect_part(run.err, "\n  install git, or name folders or bundles\n");
    kit_run_free(&run);
}

static void a_catalog_that_does_not_check_is_no_base(void **state) {
    (void)state;
    git_begin();
    commit_catalog(kit_replace(shop, "stream: ORDERS", "stream: ORDER"), 9);
    commit_catalog(shop, 6);
    commit_catalog(with_id("{type: string, minLength: 0}"), 3);
    struct kit_run run = WEIR("compat", "HEAD~2:catalogs/shop", "catalogs/shop");
    assert_int_equal(run.status, 2);
    expect_part(run.err, "HEAD~2:catalogs/shop/catalog.yaml:8:");
    expect_part(run.err, "weir compat: the catalog in HEAD~2:catalogs/shop has ");
    kit_run_free(&run);
    run =
        WEIR("compat", "HEAD~1:catalogs/shop", "catalogs/shop"); /* in the history it is left out, and said */
    assert_int_equal(run.status, 0);
    expect_part(run.out, ":catalogs/shop was left out: ");
    kit_run_free(&run);
}

/* Links are links again: one that leads out is found by the reading of the catalog, not followed. */
static void links_that_lead_out_are_not_followed(void **state) {
    (void)state;
    git_begin();
    write_catalog("catalogs/shop", shop);
    assert_int_equal(symlink("/etc/passwd", "catalogs/shop/more.yaml"), 0);
    git_commit(3);
    GIT("rm", "-q", "--cached", "catalogs/shop/more.yaml");
    struct kit_run run = WEIR("compat", "HEAD:catalogs/shop", "catalogs/shop");
    assert_int_equal(run.status, 2);
    expect_part(run.err, "the symbolic link 'more.yaml' leads out of the catalog's folder");
    kit_run_free(&run);
}

/* A tree that no `git add` makes, but that a repository may hold. */
static void paths_that_lead_out_are_refused(void **state) {
    (void)state;
    char entry[128], commit[64];
    git_begin();
    commit_catalog(shop, 3);
    struct kit_run blob =
        kit_run((const char *const[]){"git", "hash-object", "-w", "README", NULL}, NULL, 60);
    snprintf(entry, sizeof entry, "100644 blob %.40s\t..\n", blob.out);
    struct kit_run tree = kit_run((const char *const[]){"git", "mktree", NULL}, entry, 60);
    tree.out[40] = 0;
    struct kit_run made =
        kit_run((const char *const[]){"git", "commit-tree", "-m", "bad", tree.out, NULL}, NULL, 60);
    snprintf(commit, sizeof commit, "%.40s:", made.out);
    char expected[160];
    snprintf(expected, sizeof expected, "weir compat: revision '%.40s' holds a file whose path leads out\n",
             made.out);
    EXPECT(WEIR("compat", commit, "catalogs/shop"), 2, "", expected);
    kit_run_free(&blob);
    kit_run_free(&tree);
    kit_run_free(&made);
}

static void a_shallow_clone_says_that_it_knows_no_more(void **state) {
    (void)state;
    char url[1024];
    git_begin();
    commit_catalog(shop, 9);
    commit_catalog(with_id("{type: string, minLength: 0}"), 3);
    assert_non_null(getcwd(url, sizeof url));
    const char *source = kit_replace("file://%", "%", url);
    GIT("clone", "-q", "--depth", "1", source, "clone");
    struct kit_run run = WEIR("compat", "HEAD:catalogs/shop", "catalogs/shop");
    assert_null(strstr(run.out, "are not known"));
    expect_part(run.out, "  and 1 older or between\n");
    kit_run_free(&run);
    assert_int_equal(chdir("clone"), 0);
    run = WEIR("compat", "HEAD:catalogs/shop", "catalogs/shop");
    assert_int_equal(run.status, 0);
    expect_part(run.out, " are not known: a shallow clone, or more than 100 commits\n");
    kit_run_free(&run);
}

static void nothing_is_left_behind(void **state) {
    (void)state;
    git_begin();
    commit_catalog(shop, 3);
    kit_file(kit_path("temporary"), "mine", "");
    setenv("TMPDIR", kit_path("temporary"), 1);
    EXPECT(WEIR("compat", "HEAD:catalogs/shop", "catalogs/shop", "-q"), 0, NULL, "");
    EXPECT(WEIR("compat", "HEAD:catalogs", "catalogs/shop", "-q"), 2, NULL, NULL);
    unsetenv("TMPDIR");
    assert_int_equal(unlink(kit_path("temporary/mine")), 0);
    assert_int_equal(rmdir(kit_path("temporary")), 0);
}

/* A document as large as its schema demands is proof all the same; people see its beginning. */
static void a_huge_witness_is_cut_for_people_only(void **state) {
    (void)state;
    git_begin();
    commit_catalog(with_id("{type: string, minLength: 50000}"), 3);
    write_catalog("catalogs/shop", with_id("{type: string, minLength: 50001}"));
    struct kit_run run = WEIR("compat", "HEAD:catalogs/shop", "catalogs/shop");
    assert_int_equal(run.status, 1);
    expect_part(run.out, "... (--json has all of it)\n");
    assert_true(strlen(run.out) < 10000);
    kit_run_free(&run);
    run = WEIR("compat", "HEAD:catalogs/shop", "catalogs/shop", "--json");
    json_doc *doc = json_of(&run);
    assert_true(strlen(text_at(doc, "/findings/0/witness/id")) >= 50000);
    json_doc_free(doc);
    kit_run_free(&run);
}

static const struct spec specs[] = {
    {"a revision is compared with a folder, and a break is proved", a_revision_is_compared_with_a_folder},
    {"the required word decides what fails", the_word_decides_what_fails},
    {"commits count while their events may be stored", history_counts_within_retention},
    {"commits between both count", commits_between_count},
    {"paths count from the top of the repository or from here", paths_count_from_the_top_or_from_here},
    {"shared files above a catalog come along and have a history", shared_files_above_a_catalog_come_along},
    {"a bundle may be committed", a_bundle_may_be_committed},
    {"what cannot be read is said, and is exit code 2", what_cannot_be_read_is_said},
    {"a catalog that does not check is no base, and in the history is left out",
     a_catalog_that_does_not_check_is_no_base},
    {"links that lead out are not followed", links_that_lead_out_are_not_followed},
    {"paths that lead out of the folder are refused", paths_that_lead_out_are_refused},
    {"a shallow clone says that it knows no more", a_shallow_clone_says_that_it_knows_no_more},
    {"nothing is left behind in the temporary folder", nothing_is_left_behind},
    {"a huge witness is cut for people only", a_huge_witness_is_cut_for_people_only},
};
SPEC_MAIN(specs)
