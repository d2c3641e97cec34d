using System.Text.Json.Nodes;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using ResearchKit.Kernel.Cells;

namespace ResearchKit.Kernel.Notebooks.Parameters;

/// <summary>
/// The parameters cell of a notebook: the code cell tagged <c>parameters</c>, whose variables a run can
/// override.
/// </summary>
/// <remarks>The convention is papermill's: https://papermill.readthedocs.io/en/latest/usage-parameterize.html</remarks>
public static class ParametersCell
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
        return Find(notebook) is { } cell ? Declared(cell.Source) : [];
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
        var declared = Declared(cell.Source);
        var values = settings.Select(setting => ParameterValue.Parse(Named(declared, setting.Key), setting.Value)).ToList();
        foreach (var old in notebook.Cells.Where(other => other.Tags.Contains(InjectedTag)).ToList()) notebook.Remove(old);
        var code = string.Join('\n', values.Select(value => value.Declaration).Prepend("// Parameters"));
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
            ? fast.ToDictionary(entry => entry.Key, entry => $"{entry.Value}")
            : throw new ArgumentException(
                "The notebook has no fast settings: the metadata of its parameters cell has no object 'fast'.");
    }

    private static NotebookCell? Find(NotebookDocument notebook) =>
        notebook.Cells.FirstOrDefault(cell => cell.Kind == CellKind.Code && cell.Tags.Contains(Tag));

    private static Parameter Named(List<Parameter> declared, string name) =>
        declared.FirstOrDefault(parameter => parameter.Name == name) ?? throw new ArgumentException(
            $"The notebook has no parameter '{name}'. It has: {(declared.Count == 0 ? "none" : string.Join(", ", declared))}.");

    /// <summary>
    /// Returns the declared variables by compiling the cell, so that <c>var</c> is resolved to its type.
    /// </summary>
    private static List<Parameter> Declared(string source)
    {
        var tree = CSharpSyntaxTree.ParseText(source, CSharpDefaults.Parsing);
        var compilation = CSharpCompilation.CreateScriptCompilation(
            "parameters", tree, CSharpDefaults.References,
            new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, usings: CSharpDefaults.Imports));
        var model = compilation.GetSemanticModel(tree);
        return
        [
            .. from field in tree.GetCompilationUnitRoot().Members.OfType<FieldDeclarationSyntax>()
               from variable in field.Declaration.Variables
               let symbol = model.GetDeclaredSymbol(variable) as IFieldSymbol
               where symbol is not null
               select new Parameter(symbol.Name, symbol.Type.ToMinimalDisplayString(model, variable.SpanStart),
                   EnumNames(symbol.Type)),
        ];
    }

    private static string[] EnumNames(ITypeSymbol type) =>
        type.TypeKind == TypeKind.Enum ? [.. type.GetMembers().OfType<IFieldSymbol>().Select(member => member.Name)] : [];
}
