using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace ResearchKit.Tests.Arrows;

/// <summary>Folders of kit/ and kernel/, the only arrows allowed between them, and the sizes of files and folders.</summary>
[Collection(OtherPrograms.Name)]
public sealed class ArchitectureTests
{
    private const int Width = 130, LeastOfAString = 25;   // shorter strings can move to the next line

    private static readonly Lazy<SourceProject> Kit = new(() =>
        SourceProject.Read("kit", "ResearchKit", "ResearchKit.Mermaid", "ResearchKit.Kernel", "ResearchKit.Tests"));

    private static readonly Lazy<SourceProject> Kernel = new(() =>
        SourceProject.Read("kernel", "ResearchKit.Kernel", "ResearchKit.Tests"));

    [Fact]
    public void Folders_of_the_kit_use_only_what_the_table_allows() => Check(Kit.Value, ArrowTable.Kit);

    [Fact]
    public void Folders_of_the_kernel_use_only_what_the_table_allows() => Check(Kernel.Value, ArrowTable.Kernel);

    [Fact]
    public void The_Mermaid_project_does_not_depend_on_the_other_projects()
    {
        var (uses, unresolved) = SourceProject.Read("kernel/Mermaid", "ResearchKit.Mermaid", "ResearchKit.Kernel",
            "ResearchKit.Tests").Names();
        Assert.Empty(unresolved);
        Assert.DoesNotContain(uses, use => use.To.StartsWith("ResearchKit", StringComparison.Ordinal));
    }

    [Fact]
    public void A_forbidden_dependency_is_found_in_the_kit()
    {
        (string Way, string Use, string Expression)[] planted =
        [
            ("a relative name", "", "typeof(Formatting.Formatters)"),
            ("a full name", "", "typeof(ResearchKit.Formatting.Formatters)"),
            ("a using", "using ResearchKit.Formatting;", "typeof(Formatters)"),
            ("an alias", "using Views = ResearchKit.Formatting.Formatters;", "typeof(Views)"),
            ("a static using", "using static ResearchKit.Formatting.Formatters;", "(Action)(() => Install(null!))"),
            ("a type argument", "", "new List<Formatting.ColorScale>()"),
        ];
        var uses = Kit.Value.UsesOf(planted.Select((one, i) =>
            ($"Native/Planted{i}.cs", Planted(i, one.Use, "ResearchKit.Native", one.Expression))));
        Assert.All(planted.Zip(uses, (one, use) => (one.Way, Found: Violations(use, ArrowTable.Kit))), one =>
            Assert.True(one.Found.Count > 0 && one.Found.All(use => use is { From: "Native", To: "Formatting" }),
                $"{one.Way}: {string.Join('\n', one.Found)}"));
    }

    [Fact]
    public void A_forbidden_dependency_is_found_in_the_kernel()
    {
        (string Way, string Use, string Expression, string To)[] planted =
        [
            ("a relative name", "", "typeof(Sessions.Session)", "Sessions"),
            ("a type that is not named", "using static ResearchKit.Kernel.Commands.CommandLine;",
                "InvokeAsync([], null!, null!)", "Commands"),
            ("the kit", "using ResearchKit.Training;", "typeof(Trainer)", "ResearchKit"),
        ];
        var uses = Kernel.Value.UsesOf(planted.Select((one, i) =>
            ($"Notebooks/Planted{i}.cs", Planted(i, one.Use, "ResearchKit.Kernel.Notebooks", one.Expression))));
        Assert.All(planted.Zip(uses, (one, use) => (one.Way, one.To, Found: Violations(use, ArrowTable.Kernel))), one =>
            Assert.True(one.Found.Count > 0 && one.Found.All(use => use.From == "Notebooks" && use.To == one.To),
                $"{one.Way}: {string.Join('\n', one.Found)}"));
    }

    [Fact]
    public void The_tables_of_allowed_dependencies_have_no_cycle()
    {
        foreach (var table in new[] { ArrowTable.Kit, ArrowTable.Kernel })
            foreach (var folder in table.Direct.Keys) Assert.DoesNotContain(folder, table.Reach(folder));
    }

    [Theory]
    [InlineData("kit")]
    [InlineData("kernel")]
    public void Every_folder_is_in_the_table(string part) =>
        Assert.Empty(SourceFiles.Of(part).Select(path => Folders(part, path)).Where(folders => folders.Length > 0)
            .Select(folders => folders[0])
            .Distinct().Except((part == "kit" ? ArrowTable.Kit : ArrowTable.Kernel).Direct.Keys));

    /// <summary>Deeper folders sort the files of a folder; their names may be part of the namespace.</summary>
    [Theory]
    [InlineData("kit", "ResearchKit")]
    [InlineData("kernel", "ResearchKit.Kernel")]
    public void The_namespace_starts_with_the_first_folder(string part, string root)
    {
        foreach (var path in SourceFiles.Of(part))
        {
            if (Folders(part, path) is not [var folder, ..]) continue;
            var declared = File.ReadLines(path).First(line => line.StartsWith("namespace ", StringComparison.Ordinal));
            Assert.StartsWith($"namespace {root}.{folder}.", declared.Replace(';', '.'), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("kit")]
    [InlineData("kernel")]
    [InlineData("kernel/Mermaid")]
    public void No_source_file_is_longer_than_300_lines(string part) =>
        Assert.DoesNotContain(SourceFiles.Of(part), path => File.ReadLines(path).Count() > 300);

    /// <summary>A string may reach beyond: a break in HTML, in a pattern or in test data would change it.</summary>
    [Theory]
    [InlineData("kit")]
    [InlineData("kernel")]
    [InlineData("kernel/Mermaid")]
    [InlineData("tests/ResearchKit.Tests")]
    [InlineData("tests/ResearchKit.Benchmarks")]
    public void No_line_is_longer_than_130_columns(string part) => Assert.Empty(SourceFiles.Of(part).SelectMany(TooLong));

    [Fact]
    public void A_long_line_is_found_unless_a_string_makes_it_long()
    {
        var name = new string('x', 140);
        Assert.True(IsTooLong($"class C {{ int {name}; }}"));
        Assert.True(IsTooLong($"class C {{ }}   // {name}"));
        Assert.False(IsTooLong($"class C {{ string s = \"{name}\"; }}"));
        Assert.False(IsTooLong($"class C {{ string s = $\"{{1}}{name}\"; }}"));
        static bool IsTooLong(string line) => LongLines(line).Any();
    }

    [Theory]
    [InlineData("kit")]
    [InlineData("kernel")]
    [InlineData("kernel/Mermaid")]
    public void No_folder_holds_more_than_24_files(string part) => Assert.DoesNotContain(
        SourceFiles.Of(part).CountBy(path => Path.GetDirectoryName(path)!), folder => folder.Value > 24);

    private static IEnumerable<string> TooLong(string path) => File.ReadLines(path).Any(line => line.Length > Width)
        ? LongLines(File.ReadAllText(path)).Select(line => $"{path}:{line}") : [];

    /// <summary>Lines that are too long even without the text of their strings.</summary>
    private static IEnumerable<int> LongLines(string source)
    {
        var root = CSharpSyntaxTree.ParseText(source).GetRoot();
        var strings = root.DescendantNodes().Where(node => node is InterpolatedStringExpressionSyntax
            || node.Kind() is SyntaxKind.StringLiteralExpression or SyntaxKind.Utf8StringLiteralExpression)
            .Select(node => node.Span).ToList();
        return root.GetText().Lines.Where(line => line.Span.Length > Width
            && line.Span.Length - strings.Sum(text => text.Intersection(line.Span)?.Length ?? 0) + LeastOfAString > Width)
            .Select(line => line.LineNumber + 1);
    }

    private static string Planted(int number, string use, string space, string expression) => $$"""
        {{use}}
        namespace {{space}};
        internal static class Planted{{number}} { public static object Of() => {{expression}}; }
        """;

    private static void Check(SourceProject project, ArrowTable table)
    {
        var (uses, unresolved) = project.Names();
        Assert.Empty(unresolved);
        Assert.Empty(Violations(uses, table));
    }

    private static IReadOnlyList<TypeUse> Violations(IEnumerable<TypeUse> uses, ArrowTable table) =>
        [.. uses.Where(use =>
            use.To == "ResearchKit" ? use.From != "Kit" && !ArrowTable.PlainOfTheKit.Contains(use.Type.Split('.')[^1])
                : use.To != "ResearchKit.Mermaid" && !table.Allows(use.From, use.To))];

    private static string[] Folders(string part, string path) =>
        Path.GetRelativePath(Repository.PathTo(part), path).Split(Path.DirectorySeparatorChar)[..^1];
}
