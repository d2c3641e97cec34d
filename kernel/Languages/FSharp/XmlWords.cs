using System.Text.RegularExpressions;
using System.Xml;
using System.Xml.Linq;

namespace ResearchKit.Kernel.Languages.FSharp;

/// <summary>Reads summaries of XML documentation as plain text.</summary>
internal static partial class XmlWords
{
    private static readonly Dictionary<string, IReadOnlyDictionary<string, string>> Files = new(StringComparer.Ordinal);

    /// <summary>Returns the summary of a documentation comment in code.</summary>
    public static string Summary(string comment)
    {
        try
        {
            var root = XElement.Parse($"<doc>{comment}</doc>");
            return Words(root.Element("summary") ?? root);
        }
        catch (XmlException)
        {
            return comment.Trim();   // not XML: return the comment itself
        }
    }

    /// <summary>Returns the summary of a member, from the XML file beside its assembly.</summary>
    public static string Summary(string assembly, string member)
    {
        lock (Files)
        {
            if (!Files.TryGetValue(assembly, out var summaries))
                Files[assembly] = summaries = Read(Path.ChangeExtension(assembly, ".xml"));
            return summaries.GetValueOrDefault(member, "");
        }
    }

    private static Dictionary<string, string> Read(string file)
    {
        var summaries = new Dictionary<string, string>(StringComparer.Ordinal);
        if (!File.Exists(file)) return summaries;
        foreach (var member in XDocument.Load(file).Descendants("member"))
            if ((string?)member.Attribute("name") is { } name && member.Element("summary") is { } summary)
                summaries[name] = Words(summary);
        return summaries;
    }

    private static string Words(XElement element)
    {
        foreach (var reference in element.Descendants().Where(part => part.IsEmpty && part.HasAttributes).ToList())
            reference.ReplaceWith(reference.FirstAttribute!.Value.Split(':', 2)[^1]);
        return Blanks().Replace(element.Value, " ").Trim();
    }

    [GeneratedRegex(@"\s+")]
    private static partial Regex Blanks();
}
