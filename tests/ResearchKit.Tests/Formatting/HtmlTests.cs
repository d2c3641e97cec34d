using System.Globalization;
using System.Xml.Linq;
using CsCheck;
using ResearchKit.Formatting;

namespace ResearchKit.Tests.Formatting;

public sealed class HtmlTests
{
    [Fact]
    public void Interpolated_text_is_encoded_and_interpolated_markup_is_not()
    {
        var name = "<script>alert('1')</script> & \"quoted\"";
        var inner = Html.Of($"<b>{name}</b>");
        Assert.Equal("<i><b>&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt; &amp; &quot;quoted&quot;</b></i>",
            Html.Of($"<i>{inner}</i>").ToString());
    }

    [Fact]
    public void Lists_arrays_and_sequences_of_markup_are_not_encoded()
    {
        var piece = Html.Of($"<br/>");
        List<Html> list = [piece, piece];
        Html[] array = [piece];
        Assert.Equal("<br/><br/>|<br/>|<br/>", Html.Of($"{list}|{array}|{list.Skip(1)}").ToString());
    }

    [Fact]
    public void Numbers_have_the_same_format_in_every_culture()
    {
        var before = CultureInfo.CurrentCulture;
        try
        {
            CultureInfo.CurrentCulture =
                new CultureInfo("") { NumberFormat = { NumberDecimalSeparator = ",", NumberGroupSeparator = "." } };
            Assert.Equal("1.5 1,234,567", Html.Of($"{1.5} {1234567:N0}").ToString());
            Assert.Equal("0.01235 1,234,567", $"{Numbers.Short(0.0123456)} {Numbers.Count(1234567)}");
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    [Fact]
    public void Any_text_is_encoded_so_that_a_parser_reads_it_unchanged() =>
        Gen.Char.Array[0, 30].Select(chars => new string(chars)).Sample(text =>
    {
        var document = XElement.Parse(Html.Of($"<p title=\"{text}\">{text}</p>").ToString(), LoadOptions.PreserveWhitespace);
        return document.Value == Cleaned(text);
    }, iter: 2000);

    [Theory]
    [InlineData(0, "0")]
    [InlineData(-0.00012344, "-1.234e-4")]
    [InlineData(0.5, "0.5")]
    [InlineData(123.456, "123.5")]
    [InlineData(999_999, "999999")]
    [InlineData(1.5e9, "1.5e9")]
    [InlineData(double.NaN, "NaN")]
    [InlineData(double.NegativeInfinity, "-∞")]
    public void A_short_number_has_about_four_digits(double value, string expected) =>
        Assert.Equal(expected, Numbers.Short(value));

    [Theory]
    [InlineData(24, "24 B")]
    [InlineData(400_000_000, "400 MB")]
    [InlineData(1_536, "1.54 kB")]
    [InlineData(999_999, "1 MB")]
    public void Sizes_are_written_in_powers_of_a_thousand(long bytes, string expected) =>
        Assert.Equal(expected, Numbers.Bytes(bytes));

    private static string Cleaned(string text) => string.Concat(text.EnumerateRunes().Select(rune =>
        rune.Value is '\t' or '\n' || (!System.Text.Rune.IsControl(rune) && rune.Value is not (0xfffe or 0xffff))
            ? rune.ToString() : "\ufffd"));
}
