using ResearchKit.Native;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Native;

public sealed class NativeLibrariesTests
{
    [Fact]
    public void A_tensor_exists_and_libtorch_was_loaded_by_full_path()
    {
        using var four = ones(2, 2).sum();
        Assert.Equal(4f, four.item<float>());
        Assert.True(Path.IsPathFullyQualified(NativeLibraries.TorchPath));
        Assert.True(File.Exists(NativeLibraries.TorchPath));
    }

    [Fact]
    public void Only_the_one_flag_of_the_library_is_changed()
    {
        if (!OperatingSystem.IsLinux()) return;   // the file exists on every platform, but is read from the Linux package
        var path = Path.Combine(Path.GetDirectoryName(NativeLibraries.TorchPath)!, "libLibTorchSharp.so");
        var original = File.ReadAllBytes(path);
        var relaxed = ElfSymbolVersions.Relax([.. original]);
        var changed = Enumerable.Range(0, original.Length).Where(i => original[i] != relaxed[i]).ToList();
        var at = Assert.Single(changed);
        Assert.Equal((0, 2), (original[at], relaxed[at]));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(16)]
    [InlineData(64)]
    public void A_truncated_library_is_refused(int length)
    {
        byte[] elf = [0x7f, (byte)'E', (byte)'L', (byte)'F', 2, 1, .. new byte[58]];
        elf[0x3a] = 64;   // section size
        elf[0x3c] = 9;    // nine sections that are not there
        Assert.Throws<InvalidDataException>(() => ElfSymbolVersions.Relax(elf[..length]));
    }
}
