using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace ResearchKit.Kernel.Notebooks.Parameters;

/// <summary>
/// The parameters cell of a notebook: the code cell tagged <c>parameters</c>, whose variables a run can
/// override.
/// </summary>
/// <remarks>The convention is papermill's: https://papermill.readthedocs.io/en/latest/usage-parameterize.html</remarks>
public static partial class ParametersCell
{
    /// <summary>The tag of the cell that declares the parameters.</summary>
    public const string Tag = "parameters";

    /// <summary>The tag of the cell that a run adds to override parameters.</summary>
    public const string InjectedTag = "injected-parameters";

    /// <summary>
    /// Returns the variables that the parameters cell declares, in order; empty if there is no such cell.
    /// </summary>
    public static IReadOnlyList<Parameter> Read(NotebookDocument notebook)
    {
        ArgumentNullException.ThrowIfNull(notebook);
        return Find(notebook) is { } cell ? In(LanguageOf(cell, notebook)).Declared(cell.Source) : [];
    }

    /// <summary>
    /// Adds a cell that sets the values, directly after the parameters cell; replaces one from an earlier run.
    /// </summary>
    /// <param name="notebook">The notebook to change.</param>
    /// <param name="settings">The values as typed, by parameter name.</param>
    /// <exception cref="ArgumentException">
    /// There is no such parameter, or its type is another; the message says what exists.
    /// </exception>
    public static IReadOnlyList<ParameterValue> Inject(NotebookDocument notebook, IReadOnlyDictionary<string, string> settings)
    {
        ArgumentNullException.ThrowIfNull(notebook);
        ArgumentNullException.ThrowIfNull(settings);
        if (settings.Count == 0) return [];
        var cell = Find(notebook)
            ?? throw new ArgumentException($"The notebook has no parameters to set: no code cell is tagged '{Tag}'.");
        var name = LanguageOf(cell, notebook);
        var language = In(name);
        var declared = language.Declared(cell.Source);
        var values = settings.Select(setting => language.Parse(Named(declared, setting.Key), setting.Value)).ToList();
        foreach (var old in notebook.Cells.Where(other => other.Tags.Contains(InjectedTag)).ToList()) notebook.Remove(old);
        var code = string.Join('\n', values.Select(value => value.Declaration).Prepend(language.Heading));
        if (name != Spelled(notebook.Language)) code = $"#!{name}\n{code}";
        notebook.InsertCode(notebook.Cells.ToList().IndexOf(cell) + 1, code, InjectedTag);
        return values;
    }

    /// <summary>
    /// Returns the values for a run of seconds, from the metadata of the parameters cell: <c>"fast": { "steps": 20
    /// }</c>.
    /// </summary>
    /// <exception cref="ArgumentException">The metadata has no fast values.</exception>
    public static IReadOnlyDictionary<string, string> Fast(NotebookDocument notebook)
    {
        ArgumentNullException.ThrowIfNull(notebook);
        return Find(notebook)?.Metadata["fast"] is JsonObject fast
            ? fast.ToDictionary(entry => entry.Key, entry => TypedText.Of(entry.Value))
            : throw new ArgumentException(
                "The notebook has no fast settings: the metadata of its parameters cell has no object 'fast'.");
    }

    private static NotebookCell? Find(NotebookDocument notebook) =>
        notebook.Cells.FirstOrDefault(cell => cell.Kind == CellKind.Code && cell.Tags.Contains(Tag));

    private static Parameter Named(IReadOnlyList<Parameter> declared, string name) =>
        declared.FirstOrDefault(parameter => parameter.Name == name) ?? throw new ArgumentException(
            $"The notebook has no parameter '{name}'. It has: {(declared.Count == 0 ? "none" : string.Join(", ", declared))}.");

    /// <summary>
    /// The language of a <c>#!</c> line at the beginning of the cell, else that of the cell's or the notebook's metadata.
    /// </summary>
    private static string LanguageOf(NotebookCell cell, NotebookDocument notebook) => Spelled(
        FirstLine().Match(cell.Source) is { Success: true } line ? line.Groups[1].Value : cell.Language ?? notebook.Language);

    private static string Spelled(string? language) => language?.ToUpperInvariant() switch
    {
        "FSHARP" or "F#" or "FS" => "fsharp",
        "PYTHON" or "PYTHON3" or "PY" => "python",
        _ => "csharp",
    };

    private static IParameterLanguage In(string language) => language switch
    {
        "fsharp" => new FSharpParameters(),
        "python" => new PythonParameters(),
        _ => new CSharpParameters(),
    };

    [GeneratedRegex(@"^\s*#!(\S+)")]
    private static partial Regex FirstLine();
}
