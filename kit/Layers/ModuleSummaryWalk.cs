using System.Reflection;
using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Layers;

/// <summary>Walks a module tree once and recognises tensors that occur several times.</summary>
/// <param name="calls">What each module computed in a forward pass; null without one.</param>
internal sealed class ModuleSummaryWalk(IReadOnlyDictionary<nn.Module, ModuleCall>? calls = null)
{
    private readonly HashSet<object> met = [];

    public ModuleSummary Visit(string name, nn.Module module)
    {
        var own = module.named_parameters(recurse: false).Select(entry => Describe(entry.name, entry.parameter)).ToList();
        var buffers = module.named_buffers(recurse: false).Select(entry => Describe(entry.name, entry.buffer)).ToList();
        var children = module.named_children().Select(child => Visit(child.name, child.module)).ToList();
        return new ModuleSummary(name, NameOf(module.GetType()), own, buffers, children,
            own.Count + children.Count == 0 ? HintFor(module) : null)
        {
            Call = calls?.GetValueOrDefault(module),
        };
    }

    private ModuleTensor Describe(string name, Tensor tensor)
    {
        if (tensor.IsInvalid) return new ModuleTensor(name, [], 0, 0, false, IsShared: !met.Add(tensor));
        var shared = !met.Add(tensor);
        if (!shared && AddressOf(tensor) is { } address) shared = !met.Add((address, tensor.numel(), tensor.dtype));
        return new ModuleTensor(name, tensor.shape, tensor.numel(), tensor.numel() * tensor.element_size(),
            tensor.requires_grad, shared);
    }

    /// <summary>
    /// Returns the address of a tensor's values, or null where it cannot be read. Two wrappers of one parameter
    /// have the same address.
    /// </summary>
    internal static nint? AddressOf(Tensor tensor)
    {
        if (tensor.numel() == 0 || tensor.device_type != DeviceType.CPU || tensor.is_sparse || !tensor.is_contiguous())
            return null;
        using var quiet = no_grad();
        using var first = tensor.view(-1).narrow(0, 0, 1);
        return AddressOf(first.bytes);
    }

    private static unsafe nint AddressOf(Span<byte> bytes)
    {
        fixed (byte* address = &MemoryMarshal.GetReference(bytes)) return (nint)address;
    }

    /// <summary>
    /// Describes a probable mistake: a module without parameters has modules or parameters in its fields, which
    /// were probably not registered.
    /// </summary>
    private static string? HintFor(nn.Module module)
    {
        for (var type = module.GetType(); type is not null && type != typeof(nn.Module); type = type.BaseType)
            foreach (var field in type.GetFields(
                BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly))
                if (field.GetValue(module) is nn.Module or TorchSharp.Modules.Parameter)
                    return $"{NameOf(module.GetType())} holds '{field.Name}' but has no parameters; is "
                        + "RegisterComponents() missing?";
        return null;
    }

    private static string NameOf(Type type) => type.IsGenericType
        ? $"{type.Name.Split('`')[0]}<{string.Join(", ", type.GetGenericArguments().Select(NameOf))}>"
        : type.Name;
}
