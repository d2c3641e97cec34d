using System.Diagnostics.CodeAnalysis;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Html;
using ResearchKit.Native;

namespace ResearchKit.Formatting;

/// <summary>HTML that is safe to show: it consists of literals of this program and of encoded values.</summary>
/// <remarks>
/// It can only be made by <see cref="Of"/>, which encodes every hole of the interpolated string that is not
/// HTML itself.
/// </remarks>
public sealed class Html : IHtmlContent
{
    private readonly string markup;

    private Html(string markup) => this.markup = markup;

    /// <summary>Empty HTML.</summary>
    public static Html Empty { get; } = new("");

    /// <summary>
    /// Makes HTML from an interpolated string: <c>Html.Of($"&lt;td&gt;{name}&lt;/td&gt;")</c>. Values in holes are
    /// encoded unless they are <see cref="Html"/> or a sequence of it; numbers are formatted in the invariant
    /// culture.
    /// </summary>
    public static Html Of(HtmlInterpolation markup) => new(markup.Finish());

    /// <summary>Makes HTML from a constant of the program, without encoding it.</summary>
    internal static Html Verbatim([ConstantExpected] string markup) => new(markup);

    /// <summary>The style in a file that the assembly carries.</summary>
    internal static Html Style([ConstantExpected] string file) => new($"<style>\n{EmbeddedFile.Read(file)}</style>");

    /// <summary>The script in a file that the assembly carries.</summary>
    internal static Html Script([ConstantExpected] string file) => new($"<script>\n{EmbeddedFile.Read(file)}</script>");

    /// <inheritdoc/>
    public void WriteTo(TextWriter writer, HtmlEncoder encoder) => writer.Write(markup);

    /// <summary>Returns the HTML text.</summary>
    public override string ToString() => markup;
}
