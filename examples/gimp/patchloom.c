/* GIMP 2.10: Filters > Enhance > Fill selection (patchloom). The selection is filled by a patchloom server; the result comes
 * as a new layer, masked by the selection, so that nothing below is touched.
 *
 *   sudo apt install libgimp2.0-dev curl
 *   gimptool-2.0 --install patchloom.c
 *   patchloom serve                          # on the same machine, or: export PATCHLOOM_SERVER=https://photos.example.org
 *
 * From a script: (plug-in-patchloom RUN-NONINTERACTIVE image drawable "http://localhost:8080"). A server that asks for a
 * token gets $PATCHLOOM_TOKEN. GIMP 2.10 speaks no HTTP by itself, hence curl.
 */
#include <glib/gstdio.h>
#include <libgimp/gimp.h>
#include <string.h>

#define PROCEDURE "plug-in-patchloom"
#define SERVER "http://localhost:8080"

static void query(void)
{
    static const GimpParamDef arguments[] = {
        {GIMP_PDB_INT32, "run-mode", "Interactive, non-interactive"},
        {GIMP_PDB_IMAGE, "image", "The image"},
        {GIMP_PDB_DRAWABLE, "drawable", "Not looked at: what is visible is filled"},
        {GIMP_PDB_STRING, "server", "Address of the patchloom server"},
    };
    gimp_install_procedure(PROCEDURE, "Fill the selection so that people can't tell",
                           "Sends what is visible and the selection to a patchloom server; adds the answer as a layer.",
                           "the patchloom authors", "MIT", "2026", "Fill selection (patchloom)", "RGB*, GRAY*",
                           GIMP_PLUGIN, G_N_ELEMENTS(arguments), 0, arguments, NULL);
    gimp_plugin_menu_register(PROCEDURE, "<Image>/Filters/Enhance");
}

static gboolean save_png(gint32 image, const gchar *name)
{
    return gimp_file_save(GIMP_RUN_NONINTERACTIVE, image, gimp_image_get_active_layer(image), name, name);
}

/* What is visible, as one layer without transparency. */
static gboolean save_photo(gint32 image, const gchar *name)
{
    gint32 copy = gimp_image_duplicate(image);
    gimp_image_flatten(copy);
    gboolean saved = save_png(copy, name);
    gimp_image_delete(copy);
    return saved;
}

/* White where the selection is, black elsewhere. */
static gboolean save_mask(gint32 image, const gchar *name)
{
    static const GimpRGB black = {0, 0, 0, 1}, white = {1, 1, 1, 1};
    gint32 copy = gimp_image_duplicate(image);
    gint32 layer = gimp_image_flatten(copy), selection = gimp_selection_save(copy);
    gimp_context_push();
    gimp_context_set_background(&black);
    gimp_context_set_foreground(&white);
    gimp_selection_none(copy);
    gimp_drawable_edit_fill(layer, GIMP_FILL_BACKGROUND);
    gimp_image_select_item(copy, GIMP_CHANNEL_OP_REPLACE, selection);
    gimp_drawable_edit_fill(layer, GIMP_FILL_FOREGROUND);
    gimp_context_pop();
    gimp_image_remove_channel(copy, selection);
    gimp_selection_none(copy);
    gimp_image_set_active_layer(copy, layer);
    gboolean saved = save_png(copy, name);
    gimp_image_delete(copy);
    return saved;
}

/* Sends the two pictures; the token is in a private file, since everybody can read a command line. NULL, or what went wrong. */
static gchar *send_pictures(const gchar *server, const gchar *folder, const gchar *filled)
{
    const gchar *token = g_getenv("PATCHLOOM_TOKEN");
    g_autofree gchar *config = g_build_filename(folder, "curl", NULL);
    g_autofree gchar *header = token ? g_strdup_printf("header = \"Authorization: Bearer %s\"\n", token) : g_strdup("");
    g_autofree gchar *text = g_strdup_printf("silent\nshow-error\nurl = \"%s/inpaint\"\noutput = \"%s\"\n%s"
                                             "form = \"image=@%s/photo.png\"\nform = \"mask=@%s/mask.png\"\n"
                                             "write-out = \"%%{http_code}\"\n",
                                             server, filled, header, folder, folder);
    gchar *command[] = {"curl", "--config", config, NULL};
    g_autofree gchar *said = NULL, *complaint = NULL;
    gint status;
    g_autoptr(GError) error = NULL;
    if (!g_file_set_contents(config, text, -1, &error)
        || !g_spawn_sync(NULL, command, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &said, &complaint, &status, &error))
        return g_strdup(error->message);
    if (status != 0)
        return g_strdup_printf("No patchloom server answers at %s: %s", server, complaint);
    if (strcmp(said, "200") != 0) {
        g_autofree gchar *answer = NULL;
        g_file_get_contents(filled, &answer, NULL, NULL);
        return g_strdup_printf("The server refused with %s: %s", said, answer ? answer : "");
    }
    return NULL;
}

static gchar *fill(gint32 image, const gchar *server)
{
    if (gimp_selection_is_empty(image))
        return g_strdup("Nothing is selected: select what should go.");
    g_autoptr(GError) error = NULL;
    g_autofree gchar *folder = g_dir_make_tmp("patchloom-XXXXXX", &error);
    if (folder == NULL)
        return g_strdup(error->message);
    const gchar *names[] = {"photo.png", "mask.png", "filled.png", "curl"};
    gchar *paths[G_N_ELEMENTS(names)];
    for (guint i = 0; i < G_N_ELEMENTS(names); i++)
        paths[i] = g_build_filename(folder, names[i], NULL);
    gimp_progress_init("Filling the selection");
    gchar *problem = NULL;
    if (!save_photo(image, paths[0]) || !save_mask(image, paths[1]))
        problem = g_strdup("The picture could not be stored.");
    else if ((problem = send_pictures(server, folder, paths[2])) == NULL) {
        gint32 layer = gimp_file_load_layer(GIMP_RUN_NONINTERACTIVE, image, paths[2]);
        gimp_image_undo_group_start(image);
        gimp_item_set_name(layer, "patchloom");
        gimp_image_insert_layer(image, layer, 0, 0);
        gimp_layer_add_mask(layer, gimp_layer_create_mask(layer, GIMP_ADD_MASK_SELECTION));
        gimp_image_undo_group_end(image);
        gimp_displays_flush();
    }
    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        g_unlink(paths[i]);
        g_free(paths[i]);
    }
    g_rmdir(folder);
    return problem;
}

static void run(const gchar *name, gint count, const GimpParam *given, gint *returned, GimpParam **values)
{
    static GimpParam answer[2];
    const gchar *server = g_getenv("PATCHLOOM_SERVER");
    if (count > 3 && given[3].data.d_string != NULL && given[3].data.d_string[0] != '\0')
        server = given[3].data.d_string;
    gchar *problem = fill(given[1].data.d_image, server ? server : SERVER);
    answer[0].type = GIMP_PDB_STATUS;
    answer[0].data.d_status = problem ? GIMP_PDB_EXECUTION_ERROR : GIMP_PDB_SUCCESS;
    answer[1].type = GIMP_PDB_STRING;
    answer[1].data.d_string = problem;
    *returned = problem ? 2 : 1;
    *values = answer;
}

const GimpPlugInInfo PLUG_IN_INFO = {NULL, NULL, query, run};

MAIN()
