using System.Text.Json.Nodes;
using ResearchKit.Kernel.Cells;
using ResearchKit.Native;

namespace ResearchKit.Kernel.Notebooks;

/// <summary>An .ipynb notebook, nbformat 4.5; reading and writing one loses nothing.</summary>
/// <remarks>https://nbformat.readthedocs.io/en/latest/format_description.html</remarks>
public sealed class NotebookDocument
{
    private readonly List<NotebookCell> cells;

    private NotebookDocument(JsonObject root)
    {
        Root = root;
        cells = [.. CellArray.Select(cell => new NotebookCell((JsonObject)cell!))];
    }

    /// <summary>The notebook as it stands in the file.</summary>
    public JsonObject Root { get; }

    /// <summary>The notebook's own metadata.</summary>
    public JsonObject Metadata => (JsonObject)Root["metadata"]!;

    /// <summary>The cells, top to bottom.</summary>
    public IReadOnlyList<NotebookCell> Cells => cells;

    /// <summary>
    /// The language of cells that name none, from the notebook's metadata; null where it says nothing that is known.
    /// </summary>
    public string? Language => NotebookLanguages.Of(Metadata);

    private JsonArray CellArray => (JsonArray)Root["cells"]!;

    /// <summary>Reads a notebook; 4.0 to 4.4 become 4.5.</summary>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">
    /// The file is not a notebook; the message says where and what was expected.
    /// </exception>
    public static NotebookDocument Load(string path)
    {
        if (!File.Exists(path)) throw new FileNotFoundException($"There is no notebook {path}.", path);
        return Parse(File.ReadAllBytes(path), path);
    }

    /// <summary>Reads a notebook's text; errors call it <paramref name="name"/>.</summary>
    /// <exception cref="InvalidDataException">
    /// The text is not a notebook; the message says where and what was expected.
    /// </exception>
    public static NotebookDocument Parse(string json, string name) => Parse(System.Text.Encoding.UTF8.GetBytes(json), name);

    /// <summary>The text of the file: indented by one, not escaped beyond need, with a line end last.</summary>
    public string ToJson() => NotebookJson.Write(Root);

    /// <summary>Writes the notebook beside the file and then renames it.</summary>
    public void Save(string path) => AtomicWrite.Text(path, ToJson());

    /// <summary>A copy that shares nothing with this one.</summary>
    public NotebookDocument Copy() => new((JsonObject)Root.DeepClone());

    /// <summary>Adds a code cell.</summary>
    public NotebookCell InsertCode(int index, string source, params string[] tags)
    {
        var json = new JsonObject
        {
            ["cell_type"] = "code",
            ["execution_count"] = null,
            ["id"] = CellIds.New($"{index}:{source}", cells.Select(cell => cell.Id)),
            ["metadata"] = new JsonObject { ["tags"] = new JsonArray([.. tags.Select(tag => (JsonNode)tag)]) },
            ["outputs"] = new JsonArray(),
            ["source"] = MultilineText.Split(source),
        };
        CellArray.Insert(index, json);
        var cell = new NotebookCell(json);
        cells.Insert(index, cell);
        return cell;
    }

    /// <summary>Takes a cell out.</summary>
    public void Remove(NotebookCell cell)
    {
        ArgumentNullException.ThrowIfNull(cell);
        CellArray.Remove(cell.Json);
        cells.Remove(cell);
    }

    private static NotebookDocument Parse(byte[] json, string name)
    {
        var root = NotebookJson.Read(json, name);
        new NotebookChecks(name).Check(root);
        return new NotebookDocument(root);
    }
}
