using CsCheck;
using ResearchKit.Data;

namespace ResearchKit.Tests.Data;

public sealed class IdxFileTests
{
    [Fact]
    public void Numbers_are_big_endian_and_keep_their_type_and_shape()
    {
        using var bytes = IdxFile.Parse([0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 255]);
        Assert.Equal([2, 3], bytes.shape);
        Assert.Equal([1, 2, 3, 4, 5, 255], bytes.data<byte>().ToArray());

        using var shorts = IdxFile.Parse([0, 0, 0x0B, 1, 0, 0, 0, 2, 0x01, 0x02, 0xFF, 0xFE]);
        Assert.Equal([0x0102, -2], shorts.data<short>().ToArray());
        using var integers = IdxFile.Parse([0, 0, 0x0C, 1, 0, 0, 0, 1, 0, 1, 0, 0]);
        Assert.Equal([65536], integers.data<int>().ToArray());
        using var floats = IdxFile.Parse([0, 0, 0x0D, 1, 0, 0, 0, 1, 0x3F, 0x80, 0, 0]);
        Assert.Equal([1f], floats.data<float>().ToArray());
        using var doubles = IdxFile.Parse([0, 0, 0x0E, 1, 0, 0, 0, 1, 0xC0, 0, 0, 0, 0, 0, 0, 0]);
        Assert.Equal([-2.0], doubles.data<double>().ToArray());
        using var signed = IdxFile.Parse([0, 0, 9, 1, 0, 0, 0, 1, 0xFF]);
        Assert.Equal([(sbyte)-1], signed.data<sbyte>().ToArray());
        using var none = IdxFile.Parse([0, 0, 8, 2, 0, 0, 0, 0, 255, 255, 255, 255]);
        Assert.Equal(0, none.numel());
    }

    [Theory]
    [InlineData(new byte[] { 0, 0, 8 }, "3 bytes")]
    [InlineData(new byte[] { 1, 0, 8, 1, 0, 0, 0, 0 }, "00 00")]
    [InlineData(new byte[] { 0, 0, 7, 1, 0, 0, 0, 0 }, "0x07")]
    [InlineData(new byte[] { 0, 0, 8, 0 }, "dimension")]
    [InlineData(new byte[] { 0, 0, 8, 3, 0, 0, 0, 1 }, "16")]
    [InlineData(new byte[] { 0, 0, 8, 1, 0, 0, 0, 2, 1 }, "[2]")]
    [InlineData(new byte[] { 0, 0, 8, 1, 0, 0, 0, 1, 1, 1 }, "expected 1")]
    [InlineData(new byte[] { 0, 0, 8, 1, 255, 255, 255, 255, 1 }, "4294967295")]
    [InlineData(new byte[] { 0, 0, 14, 4, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255 },
        "far more")]
    public void A_malformed_file_is_refused_with_reason_and_place(byte[] file, string said) =>
        Assert.Contains(said, Assert.Throws<InvalidDataException>(() => IdxFile.Parse(file, "x.idx")).Message,
            StringComparison.Ordinal);

    [Fact]
    public void A_damaged_file_is_refused_or_gives_a_tensor_no_larger_than_the_file()
    {
        byte[] whole = [0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 2, 1, 2, 3, 4, 5, 6, 7, 8];
        Gen.Select(Gen.Int[0, whole.Length], Gen.Int[0, whole.Length - 1], Gen.Byte).Sample((length, at, value) =>
        {
            var file = whole[..length];
            if (at < length) file[at] = value;
            try
            {
                using var read = IdxFile.Parse(file);
                Assert.True(read.numel() <= file.Length);
            }
            catch (InvalidDataException)
            {
            }
        });
    }
}
