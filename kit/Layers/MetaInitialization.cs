using ResearchKit.Native;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ResearchKit.Layers;

/// <summary>Creates models without values, whose memory is allocated when the values are loaded.</summary>
/// <remarks>
/// A model that will be filled from a file need not draw random numbers first. It is created on the meta
/// device, where tensors have shapes only. Each tensor then gets memory that was not initialized before.
/// </remarks>
internal static class MetaInitialization
{
    private static readonly Lock OneAtATime = new();

    /// <summary>
    /// TorchSharp's layers whose parameters are held in C# only; its other layers hold them in native code too.
    /// </summary>
    private static readonly HashSet<Type> Managed =
        [typeof(Linear), typeof(LayerNorm), typeof(GroupNorm), typeof(Conv1d), typeof(Conv2d), typeof(Conv3d),
        typeof(BatchNorm1d), typeof(BatchNorm2d), typeof(BatchNorm3d)];

    /// <summary>Creates a model on the meta device.</summary>
    /// <remarks>
    /// TorchSharp has one default device for the whole process. While the model is created, for some milliseconds,
    /// a tensor that another thread creates without naming a device is on the meta device too.
    /// </remarks>
    public static T Make<T>(Func<T> make)
    {
        lock (OneAtATime)
        {
            var device = get_default_device();
            set_default_device(new Device(DeviceType.META));
            try
            {
                return make();
            }
            finally
            {
                set_default_device(device);
            }
        }
    }

    /// <summary>
    /// Whether every tensor of a model can get its memory later: all of them are in the list of filled tensors, and
    /// no layer holds parameters in native code.
    /// </summary>
    public static bool CanFill(nn.Module model, IEnumerable<string> filled)
    {
        var all = model.named_buffers().Select(pair => pair.name).Concat(model.named_parameters().Select(pair => pair.name));
        return !all.Except(filled).Any() && Modules(model).All(module =>
            module.GetType().Assembly != typeof(Linear).Assembly || Managed.Contains(module.GetType())
                || !module.named_parameters(recurse: false).Any());
    }

    /// <summary>Gives each tensor of a model on the meta device its values.</summary>
    /// <param name="tensors">Tensors of the model with their names.</param>
    /// <param name="numbers">Returns a tensor with the values, of the same shape, for a name and the tensor without
    /// values.</param>
    public static void Fill(IEnumerable<KeyValuePair<string, Tensor>> tensors, Func<string, Tensor, Tensor> numbers)
    {
        foreach (var (name, tensor) in tensors)
        {
            if (tensor.device_type != DeviceType.META) continue;   // already filled under another name (tied weights)
            using var memory = numbers(name, tensor);
            memory.requires_grad = tensor.requires_grad;
            NativeTensors.Assign(tensor, memory);
        }
    }

    private static IEnumerable<nn.Module> Modules(nn.Module model) => model.modules().Prepend(model);
}
