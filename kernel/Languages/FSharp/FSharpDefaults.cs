using FSharp.Compiler.CodeAnalysis;
using Microsoft.FSharp.Collections;
using ResearchKit.Kernel.Cells;

namespace ResearchKit.Kernel.Languages.FSharp;

/// <summary>The defaults of F# cells: the same namespaces and assemblies as for C# cells.</summary>
internal static class FSharpDefaults
{
    /// <summary>
    /// The arguments of F# Interactive: no output, and references to the assemblies of this process only.
    /// </summary>
    public static string[] Arguments =>
    [
        "fsi", "--noninteractive", "--nologo", "--quiet", "--readline-", "--gui-", "--multiemit+",
        "--noframework", "--usesdkrefs-",   // do not reference a second System.Runtime from an installed SDK
        .. CSharpDefaults.Assemblies.Values.Select(path => $"-r:{path}"),
    ];

    /// <summary>
    /// Returns the first code of a session: it sets the current folder and opens the default namespaces.
    /// </summary>
    public static string Opening(string folder) => string.Join('\n',
    [
        $"#silentCd @\"{folder.Replace("\"", "\"\"", StringComparison.Ordinal)}\"",
        .. CSharpDefaults.Imports.Select(name => Type.GetType(name) is null ? $"open {name}" : $"open type {name}"),
        $"open type {typeof(FSharpFunctions).FullName}",
    ]);

    /// <summary>The parse options for a single cell.</summary>
    public static FSharpParsingOptions Parsing { get; } = new(
        [FileName], applyLineDirectives: false, ListModule.OfSeq(["INTERACTIVE"]), FSharpParsingOptions.Default.DiagnosticOptions,
        FSharpParsingOptions.Default.LangVersionText, isInteractive: true, compilingFSharpCore: false, isExe: false);

    /// <summary>The file name of code in the parser.</summary>
    public const string FileName = "cell.fsx";
}
