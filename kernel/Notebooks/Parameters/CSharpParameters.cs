using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using ResearchKit.Kernel.Cells;

namespace ResearchKit.Kernel.Notebooks.Parameters;

/// <summary>Parameters that C# declares.</summary>
internal sealed class CSharpParameters : IParameterLanguage
{
    /// <inheritdoc/>
    public string Heading => "// Parameters";

    /// <summary>Compiles the cell, so that <c>var</c> is resolved to its type.</summary>
    public IReadOnlyList<Parameter> Declared(string source)
    {
        if (CodeNesting.IsTooDeep(source)) return [];
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

    /// <summary>The line works for <c>const</c> and <c>readonly</c> variables too.</summary>
    public ParameterValue Parse(Parameter parameter, string text) =>
        CSharpValue.Read(parameter.Type, text, parameter.Values) is var (literal, json)
            ? new ParameterValue(parameter, $"{parameter.Type} {parameter.Name} = {literal};", json)
            : throw parameter.Refused(text);

    private static string[] EnumNames(ITypeSymbol type) => type switch
    {
        { TypeKind: TypeKind.Enum } => [.. type.GetMembers().OfType<IFieldSymbol>().Select(member => member.Name)],
        IArrayTypeSymbol array => EnumNames(array.ElementType),
        INamedTypeSymbol { IsGenericType: true } generic =>
            generic.TypeArguments.Select(EnumNames).FirstOrDefault(names => names.Length > 0) ?? [],
        _ => [],
    };
}
