using System.Text.Json.Nodes;
using ResearchKit.Kernel.Cells;
using ResearchKit.Native;

namespace ResearchKit.Kernel.Notebooks;

/// <summary>An .ipynb notebook in nbformat 4.5. Reading and writing preserves unknown fields.</summary>
/// <remarks>https://nbformat.readthedocs.io/en/latest/format_description.html</remarks>
public sealed class NotebookDocument
{
    private readonly List<NotebookCell> cells;

    private NotebookDocument(JsonObject root)
    {
        Root = root;
        cells = [.. CellArray.Select(cell => new NotebookCell((JsonObject)cell!))];
    }

    /// <summary>The JSON of the notebook.</summary>
    public JsonObject Root { get; }

    /// <summary>The metadata of the notebook.</summary>
    public JsonObject Metadata => (JsonObject)Root["metadata"]!;

    /// <summary>The cells, from top to bottom.</summary>
    public IReadOnlyList<NotebookCell> Cells => cells;

    /// <summary>
    /// The default language of cells, from the notebook's metadata; null if it names no known language.
    /// </summary>
    public string? Language => NotebookLanguages.Of(Metadata);

    private JsonArray CellArray => (JsonArray)Root["cells"]!;

    /// <summary>Reads a notebook of nbformat 4.0 to 4.5; earlier versions are converted to 4.5.</summary>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">
    /// The file is not a notebook; the message says where and what was expected.
    /// </exception>
    public static NotebookDocument Load(string path)
    {
        if (!File.Exists(path)) throw new FileNotFoundException($"There is no notebook {path}.", path);
        return Parse(File.ReadAllBytes(path), path);
    }

    /// <summary>Parses the text of a notebook. Error messages call it <paramref name="name"/>.</summary>
    /// <exception cref="InvalidDataException">
    /// The text is not a notebook; the message says where and what was expected.
    /// </exception>
    public static NotebookDocument Parse(string json, string name) => Parse(System.Text.Encoding.UTF8.GetBytes(json), name);

    /// <summary>
    /// Returns the notebook as JSON in Jupyter's format: indented by one space, with minimal escaping and a final
    /// line break.
    /// </summary>
    public string ToJson() => NotebookJson.Write(Root);

    /// <summary>Saves the notebook atomically.</summary>
    public void Save(string path) => AtomicWrite.Text(path, ToJson());

    /// <summary>Returns a deep copy.</summary>
    public NotebookDocument Copy() => new((JsonObject)Root.DeepClone());

    /// <summary>Inserts a code cell.</summary>
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

    /// <summary>Removes a cell.</summary>
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
