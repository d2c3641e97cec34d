using System.Text.RegularExpressions;
using ResearchKit.Mermaid.Graphs;
using ResearchKit.Mermaid.Lettering;

namespace ResearchKit.Mermaid.Classes;

/// <summary>The box of a class in a class diagram: its name, attributes and operations.</summary>
internal sealed partial class ClassBox(string name)
{
    private readonly List<string> attributes = [];
    private readonly List<string> operations = [];

    public string Name { get; set; } = name;

    public List<string> Annotations { get; } = [];

    /// <summary>Adds a member: an operation if it has parentheses, else an attribute.</summary>
    public void Add(string member) => (member.Contains('(', StringComparison.Ordinal) ? operations : attributes).Add(member);

    public void Fill(GraphNode node)
    {
        var title = TextBlock.Of(Name, TextBlock.Normal, isBold: true);
        node.Label = Annotations.Count == 0 ? title : title with
        {
            Lines = [.. Annotations.Select(kind => $"«{kind}»"), .. title.Lines],
        };
        node.Compartments.Clear();
        if (attributes.Count + operations.Count == 0) return;
        node.Compartments.Add(Block(attributes));
        node.Compartments.Add(Block(operations));
    }

    private static TextBlock Block(List<string> members) =>
        new([.. members.SelectMany(member => TextBlock.Of(Readable(member), TextBlock.Small).Lines)], TextBlock.Small);

    /// <summary>
    /// Converts a member to display form: <c>List~int~</c> becomes a generic type, and an operation's result type
    /// follows a colon.
    /// </summary>
    private static string Readable(string member)
    {
        var text = Generic().Replace(member, "<$1>").TrimEnd('$', '*');
        return Result().Replace(text, "$1 : $2");
    }

    [GeneratedRegex("~([^~]*)~")]
    private static partial Regex Generic();

    [GeneratedRegex(@"(\))\s*([\w<].*)$")]
    private static partial Regex Result();
}
