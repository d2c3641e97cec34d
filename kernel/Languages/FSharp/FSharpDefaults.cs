using FSharp.Compiler.CodeAnalysis;
using Microsoft.FSharp.Collections;
using ResearchKit.Kernel.Cells;

namespace ResearchKit.Kernel.Languages.FSharp;

/// <summary>What every F# cell sees without asking: the same namespaces and assemblies as a C# cell.</summary>
internal static class FSharpDefaults
{
    /// <summary>How F# Interactive is started: silent, with the assemblies of this process and no others.</summary>
    public static string[] Arguments =>
    [
        "fsi", "--noninteractive", "--nologo", "--quiet", "--readline-", "--gui-", "--multiemit+",
        "--noframework", "--usesdkrefs-",   // an SDK beside us must not bring a second System.Runtime
        .. CSharpDefaults.Assemblies.Values.Select(path => $"-r:{path}"),
    ];

    /// <summary>The first code of a session: where files are, and what is open.</summary>
    public static string Opening(string folder) => string.Join('\n',
    [
        $"#silentCd @\"{folder.Replace("\"", "\"\"", StringComparison.Ordinal)}\"",
        .. CSharpDefaults.Imports.Select(name => Type.GetType(name) is null ? $"open {name}" : $"open type {name}"),
        $"open type {typeof(FSharpFunctions).FullName}",
    ]);

    /// <summary>How a cell is parsed on its own.</summary>
    public static FSharpParsingOptions Parsing { get; } = new(
        [FileName], applyLineDirectives: false, ListModule.OfSeq(["INTERACTIVE"]), FSharpParsingOptions.Default.DiagnosticOptions,
        FSharpParsingOptions.Default.LangVersionText, isInteractive: true, compilingFSharpCore: false, isExe: false);

    /// <summary>What the parser calls code that has no name.</summary>
    public const string FileName = "cell.fsx";
}
