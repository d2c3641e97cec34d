using System.Xml.Linq;

namespace ResearchKit.Tests.Formatting;

/// <summary>Texts that must show as text, wherever a name, a token or a unit is shown.</summary>
internal static class Hostile
{
    public const string Text = "<script>alert(1)</script>\"' onload='alert(2)' &lt; \0 \ud83d ]]> --> </style></svg>\n\t`${x}`";

    /// <summary>No element or attribute came out of the text.</summary>
    public static void AssertHarmless(object value)
    {
        var document = Shown.Document(value);
        Shown.AssertSelfContained(Shown.Page(value));
        Assert.DoesNotContain(document.Descendants("script"), script => script.Value.Contains("alert", StringComparison.Ordinal));
        Assert.DoesNotContain(document.DescendantsAndSelf().Attributes(), attribute =>
            attribute.Name.LocalName.StartsWith("on", StringComparison.Ordinal));
        Assert.DoesNotContain('\0', Shown.Page(value) + Shown.Text(value));
        Assert.DoesNotContain(Enumerable.Range(0, 2).SelectMany(which => which == 0 ? Shown.Page(value) : Shown.Text(value)),
            (char c) => c == '\ud83d');
    }
}
