using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using ResearchKit.Kernel.Cells;

namespace ResearchKit.Kernel.Languages.CSharp;

/// <summary>The code of a cell or file in forms that the script compiler takes. All have the line numbers of the cell.</summary>
/// <param name="Plain">Without checks, for editor services and for code that the checks do not fit.</param>
/// <param name="Checked">With checks in loops and functions.</param>
internal sealed record ScriptCode(MappedCode Plain, MappedCode Checked)
{
    /// <summary>The parse options of ordinary C# files.</summary>
    public static CSharpParseOptions Ordinary { get; } = CSharpDefaults.Parsing.WithKind(SourceCodeKind.Regular);

    /// <summary>Rewrites a cell.</summary>
    /// <param name="root">The cell, parsed as a program with <see cref="Ordinary"/>.</param>
    /// <param name="apart">The declarations that are compiled apart from the script.</param>
    public static ScriptCode Of(CompilationUnitSyntax root, IReadOnlyList<MemberDeclarationSyntax> apart)
    {
        var edits = new CodeEdits(root.ToFullString());
        foreach (var member in apart) edits.Blank(member.Span);
        UsingDeclarations.Rewrite(edits, root);
        ExtensionMethods.Rewrite(edits, root.Members.Except(apart));
        var plain = new MappedCode(edits);
        return new ScriptCode(plain, plain.With(more =>
            StopChecks.AddTo(more, CSharpSyntaxTree.ParseText(plain.Code, CSharpDefaults.Parsing).GetRoot())));
    }
}

/// <summary>Code that was rewritten, with the positions of the original.</summary>
/// <param name="Code">The code.</param>
/// <param name="Original">Maps a position in the code to one in the original.</param>
internal sealed record MappedCode(string Code, Func<int, int> Original)
{
    public MappedCode(CodeEdits edits)
        : this("", position => position) => (Code, Original) = edits.Apply();

    /// <summary>Returns this code with more edits.</summary>
    public MappedCode With(Action<CodeEdits> edit)
    {
        var edits = new CodeEdits(Code);
        edit(edits);
        var (code, before) = edits.Apply();
        return new MappedCode(code, position => Original(before(position)));
    }
}
